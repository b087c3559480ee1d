// What the loss's functions see and give; the twins are in src/loss/mod.rs.
struct PositiveScore {
    score: f32,
    one_minus_cos: f32,
    one_plus_cos: f32,
    query_norm: f32,
    row: vec2<f32>,
    column: f32,
    second: f32,
    rank: f32,
    // Mean, variance, log-sum-exp, count.
    batch: vec4<f32>,
}

struct Target {
    value: f32,
    slope: f32,
    norm_slope: f32,
    row_constant: f32,
}

struct Entry {
    score: f32,
    target_value: f32,
    row_constant: f32,
    second: f32,
    column: f32,
    constant: f32,
}

struct Pair {
    value: f32,
    score_slope: f32,
    target_slope: f32,
}

struct Row {
    sum: f32,
    second_sum: f32,
    target_value: f32,
    count: f32,
    positive_offset: f32,
    row_constant: f32,
    row: vec2<f32>,
}

struct RowLoss {
    value: f32,
    sum_slope: f32,
    target_slope: f32,
}

// Value of a dead column: far below FLOOR also after division by a temperature.
const DEAD: f32 = -1e32;
// Where running maxima start: finite, because ∞ − ∞ is not a number.
const FLOOR: f32 = -1e25;
// In place of a log-sum where a row has no pair: far above any value.
const NO_PAIR: f32 = 1e30;
const LOG2_E: f32 = 1.4426950408889634;

struct Parameters {
    constants: array<vec4<f32>, 4>,
    theta: array<vec4<f32>, 4>,
    // Factor on the score, on the second score, on value and gradients.
    scales: vec4<f32>,
}

#if THETA_STEP
// The stage's own copy: bounds read scalars that it has just moved.
var<private> parameters: Parameters;
#else
@group(0) @binding(1) var<uniform> parameters: Parameters;
#end

fn loss_constant(k: u32) -> f32 {
    return parameters.constants[k / 4u][k % 4u];
}

fn loss_theta(k: u32) -> f32 {
    return parameters.theta[k / 4u][k % 4u];
}
