// LambdaLoss: z = δ softplus(s − t), δ of the distance of the ranks, summed.
// Constants: 1, 1 for δ as a difference.

fn loss_target(positive: PositiveScore) -> Target {
    return Target(positive.score, 1.0, 0.0, positive.rank);
}

fn inverse_log2(x: f32) -> f32 {
    return 0.6931471805599453 / exact_log(x);
}

fn loss_pair(entry: Entry) -> Pair {
    let distance_of_ranks = max(abs(entry.row_constant - entry.constant), 1.0);
    let delta = inverse_log2(1.0 + distance_of_ranks)
        - loss_constant(1u) * inverse_log2(2.0 + distance_of_ranks);
    let gap = entry.score - entry.target_value;
    let slope = delta * sigmoid(gap);
    return Pair(delta * softplus(gap), slope, -slope);
}

fn loss_row(row: Row) -> RowLoss {
    return RowLoss(row.sum, 1.0, 0.0);
}
