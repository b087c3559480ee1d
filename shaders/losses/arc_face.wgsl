// ArcFace, plain, exact: t = s·cos(θ + m), slope by the angle. Constants: s, cos m, sin m.

fn loss_target(positive: PositiveScore) -> Target {
    let scale = loss_constant(0u);
    let cos_m = loss_constant(1u);
    let sin_m = loss_constant(2u);
    let sine = sqrt(positive.one_minus_cos * positive.one_plus_cos);
    let cosine = positive.score;
    return Target(scale * (cosine * cos_m - sine * sin_m), -scale * (sine * cos_m + cosine * sin_m), 0.0, 0.0);
}

fn loss_pair(entry: Entry) -> Pair {
    let scale = loss_constant(0u);
    return Pair(entry.score * scale, scale, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let gap = row.sum - row.target_value - row.positive_offset;
    let share = sigmoid(gap);
    return RowLoss(softplus(gap), share, -share);
}
