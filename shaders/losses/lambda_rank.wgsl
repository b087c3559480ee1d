// LambdaRank: z = δ softplus(s − t), δ = |1/log2(1 + π⁺) − 1/log2(1 + π)|, summed. Constants: 1.

fn loss_target(positive: PositiveScore) -> Target {
    return Target(positive.score, 1.0, 0.0, positive.rank);
}

fn inverse_log2(x: f32) -> f32 {
    return 0.6931471805599453 / exact_log(x);
}

fn loss_pair(entry: Entry) -> Pair {
    let delta = abs(inverse_log2(1.0 + entry.row_constant) - inverse_log2(1.0 + entry.constant));
    let gap = entry.score - entry.target_value;
    let slope = delta * sigmoid(gap);
    return Pair(delta * softplus(gap), slope, -slope);
}

fn loss_row(row: Row) -> RowLoss {
    return RowLoss(row.sum, 1.0, 0.0);
}
