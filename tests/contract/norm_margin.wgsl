fn loss_target(positive: PositiveScore) -> Target {
    let cos_m = loss_constant(1u);
    let sin_m = loss_constant(2u);
    let sine = sqrt(positive.one_minus_cos * positive.one_plus_cos);
    let cosine = 1.0 - positive.one_minus_cos;
    let along = cosine * cos_m - sine * sin_m;
    let across = sine * cos_m + cosine * sin_m;
    return Target(positive.query_norm * along, -positive.query_norm * across, along, 0.0);
}

fn loss_pair(entry: Entry) -> Pair {
    return Pair(entry.score, 1.0, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let gap = row.sum - row.target_value - row.positive_offset;
    return RowLoss(softplus(gap), sigmoid(gap), -sigmoid(gap));
}
