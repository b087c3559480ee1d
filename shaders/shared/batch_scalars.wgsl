// What the whole batch shares after the forward pass.
struct BatchScalars {
    value: f32,
    // The call's factor, divided by the divisor of a mean.
    share: f32,
    // Log-sum-exp of the row losses.
    log_sum: f32,
    spare: f32,
}
