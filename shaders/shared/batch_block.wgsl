// Statistics of some values; two are merged by their deviations, so that nothing cancels.
struct BatchBlock {
    count: f32,
    mean: f32,
    // Sum of squared deviations from the mean.
    squares: f32,
    max: f32,
    // Σ e^{v − max}.
    sum: f32,
    // Mean score with other candidates.
    negative_mean: f32,
}
