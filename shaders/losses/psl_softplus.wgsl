// log(1 + e^d).
fn log_activation(d: f32) -> vec2<f32> {
    return vec2<f32>(softplus(d), sigmoid(d));
}
