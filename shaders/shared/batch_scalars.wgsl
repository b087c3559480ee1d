// What the whole batch shares after the forward pass.
struct BatchScalars {
    value: f32,
    // 1/divisor of the mean, or 1.
    share: f32,
    // Log-sum-exp of the row losses.
    log_sum: f32,
    spare: f32,
}
