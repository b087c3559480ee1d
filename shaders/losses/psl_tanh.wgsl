// log(1 + tanh d) = ln 2 − softplus(−2d): exact where the sum would cancel.
fn log_activation(d: f32) -> vec2<f32> {
    return vec2<f32>(0.6931471805599453 - softplus(-2.0 * d), 2.0 * sigmoid(-2.0 * d));
}
