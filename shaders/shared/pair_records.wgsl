// What is kept per (row, positive) pair.
struct PairScore {
    // Scaled score s⁺.
    score: f32,
    // Target t and its slope, dt/d‖q‖.
    target_value: f32,
    slope: f32,
    norm_slope: f32,
    // 1/‖ĉ − cos·q̂‖ in tangent form, 0 where the direction is undefined.
    inverse_sine: f32,
    // −log q of the positive.
    offset: f32,
    // Weight times upstream; 0 for an ignored pair.
    weight: f32,
    // 1, or 0 for an ignored pair.
    live: f32,
    // The row's parameters.
    row: vec2<f32>,
    // ∂t/∂(the positive's column parameter).
    column_slope: f32,
    // ∂ℓ/∂‖q‖ at fixed R and t; from `pair_gradients` on ∂value/∂‖q‖.
    own_norm_slope: f32,
}

// What a pair's row reduction and loss gave.
struct PairResult {
    loss: f32,
    sum: f32,
    sum_slope: f32,
    // ∂ℓ/∂t, the row's companion included; of the pooled target where targets are pooled.
    target_slope: f32,
    count: f32,
    dead: f32,
    // Target that the row saw, and the pair's share of the pool's gradient.
    target_value: f32,
    pool_share: f32,
}
