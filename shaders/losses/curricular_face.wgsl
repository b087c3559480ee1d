// CurricularFace: ArcFace's target with a hard threshold; a column harder than the target weighs by
// how far training is. Constants: s, weight of a batch, the margin, cos m, sin m. θ: mean target cosine.
#import angular_margin

fn loss_theta_state(k: u32, batch: vec4<f32>, negative_mean: f32, negatives: f32) -> f32 {
    return mix(loss_theta(0u), batch.x, loss_constant(1u));
}

fn loss_target(positive: PositiveScore) -> Target {
    let scale = loss_constant(0u);
    let mapped = margin_of(2u, positive.one_minus_cos, positive.one_plus_cos);
    let cosine = 0.5 * (positive.one_plus_cos - positive.one_minus_cos);
    let sine = sqrt(positive.one_minus_cos * positive.one_plus_cos);
    let margined = cosine * loss_constant(10u) - sine * loss_constant(11u);
    return Target(scale * mapped.value, scale * mapped.slope, 0.0, margined);
}

fn loss_pair(entry: Entry) -> Pair {
    let scale = loss_constant(0u);
    let stage = loss_theta(0u);
    let hard = entry.score > entry.row_constant;
    let value = select(entry.score, entry.score * (stage + entry.score), hard);
    return Pair(scale * value, scale * select(1.0, fma(2.0, entry.score, stage), hard), 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let gap = row.sum - row.target_value - row.positive_offset;
    let share = sigmoid(gap);
    return RowLoss(softplus(gap), share, -share);
}
