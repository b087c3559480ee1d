// LambdaLoss@K: z = μδ softplus(s − t), δ of the distance of the ranks, μ of the lower one, summed.
// Constants: 1, 1 for δ as a difference, K, 1 for μ by the discount.

fn loss_target(positive: PositiveScore) -> Target {
    return Target(positive.score, 1.0, 0.0, positive.rank);
}

fn inverse_log2(x: f32) -> f32 {
    return 0.6931471805599453 / exact_log(x);
}

fn factor(entry: Entry) -> f32 {
    // Beyond K ≥ 1 is 2 at least; the share of 1 is all.
    let lower = max(max(entry.row_constant, entry.constant), 2.0);
    let share = select(inverse_log2(1.0 + lower), 1.0 / lower, loss_constant(3u) == 0.0);
    let beyond = max(entry.row_constant, entry.constant) > loss_constant(2u);
    return select(1.0, 1.0 / (1.0 - share), beyond);
}

fn loss_pair(entry: Entry) -> Pair {
    let distance_of_ranks = max(abs(entry.row_constant - entry.constant), 1.0);
    let delta = inverse_log2(1.0 + distance_of_ranks)
        - loss_constant(1u) * inverse_log2(2.0 + distance_of_ranks);
    let gap = entry.score - entry.target_value;
    let weight = delta * factor(entry);
    let slope = weight * sigmoid(gap);
    return Pair(weight * softplus(gap), slope, -slope);
}

fn loss_row(row: Row) -> RowLoss {
    return RowLoss(row.sum, 1.0, 0.0);
}
