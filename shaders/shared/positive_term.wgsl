// How a pair's target gradient g moves its two vectors: a coefficient on (other − along·own).
// `inverse` is 1/‖q‖ of the packed query: 1 unless queries keep their length.
fn positive_coefficient(score: PairScore, gradient: f32, inverse: f32) -> f32 {
    if has(TANGENT) {
        return -gradient * score.slope * score.inverse_sine * inverse;
    }
    return gradient * score.slope * parameters.scales.x;
}

fn inverse_length(norm: f32) -> f32 {
    return select(1.0, select(1.0 / norm, 0.0, norm == 0.0), has(PROJECTION));
}

// What of the query the candidate's direction is freed from.
fn along_query(score: PairScore, inverse: f32) -> f32 {
    if has(PROJECTION) {
        return select(0.0, score.score * inverse * inverse, has(TANGENT));
    }
    return select(0.0, score.score, has(COSINE));
}

fn along_candidate(score: PairScore) -> f32 {
    return select(0.0, score.score, has(COSINE));
}
