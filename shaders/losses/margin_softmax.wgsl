// Softmax over cosines with a margin on the target: t = s·T(θ), slope by the angle. Constants: s;
// whether scores carry ‖q‖; the cosine beyond which a column counts as 0; the margin.
#import angular_margin

fn loss_target(positive: PositiveScore) -> Target {
    let mapped = margin_of(3u, positive.one_minus_cos, positive.one_plus_cos);
    let by_norm = loss_constant(1u) != 0.0;
    let scale = loss_constant(0u) * select(1.0, positive.query_norm, by_norm);
    let norm_slope = select(0.0, loss_constant(0u) * mapped.value, by_norm);
    return Target(scale * mapped.value, scale * mapped.slope, norm_slope, 0.0);
}

fn loss_pair(entry: Entry) -> Pair {
    let scale = select(0.0, loss_constant(0u), entry.score <= loss_constant(2u));
    return Pair(entry.score * scale, scale, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let gap = row.sum - row.target_value - row.positive_offset;
    let share = sigmoid(gap);
    return RowLoss(softplus(gap), share, -share);
}

// ln(arccos(c) / pi), finite and below 0.
fn log_share(cosine: f32) -> f32 {
    let c = clamp(cosine, -1.0, 1.0);
    let angle = exact_atan2(sqrt((1.0 - c) * (1.0 + c)), c);
    return exact_log(clamp(angle / PI, 1e-6, 1.0 - 1e-6));
}

// ExpFace's exponent where the batch sets it.
fn loss_theta_state(k: u32, batch: vec4<f32>, negative_mean: f32, negatives: f32) -> f32 {
    let ahead = select(0.0, exact_log(negatives) / loss_constant(0u), loss_constant(5u) != 0.0);
    return clamp(log_share(negative_mean + ahead) / log_share(batch.x), 0.1, 1.0);
}
