// log(1 + arctan d), for d > −tan 1.
fn log_activation(d: f32) -> vec2<f32> {
    let angle = exact_atan(d);
    return vec2<f32>(exact_log1p(angle), 1.0 / ((1.0 + d * d) * (1.0 + angle)));
}
