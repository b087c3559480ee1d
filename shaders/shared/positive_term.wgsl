// How a pair's target gradient g moves its two vectors: coefficient on (other − cos·own).
fn positive_coefficient(score: PairScore, gradient: f32) -> f32 {
    if has(TANGENT) {
        return -gradient * score.slope * score.inverse_sine;
    }
    return gradient * score.slope * parameters.scales.x;
}

fn positive_direction(own: vec4<f32>, other: vec4<f32>, cosine: f32) -> vec4<f32> {
    return select(other, other - cosine * own, has(COSINE));
}
