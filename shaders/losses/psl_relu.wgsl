// log max(0, 1 + d); dead at d ≤ −1.
fn log_activation(d: f32) -> vec2<f32> {
    let dead = d <= -1.0;
    let live = select(d, 0.0, dead);
    return vec2<f32>(select(exact_log1p(live), DEAD, dead), select(1.0 / (1.0 + live), 0.0, dead));
}
