// S-DPO: z = β(s − r), t = s⁺ − r⁺; r is 0 without reference tables. Constants: β.

fn loss_target(positive: PositiveScore) -> Target {
    return Target(positive.score - positive.second, 1.0, 0.0, 0.0);
}

fn loss_pair(entry: Entry) -> Pair {
    let beta = loss_constant(0u);
    return Pair(beta * (entry.score - entry.second), beta, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let beta = loss_constant(0u);
    let gap = row.sum - (row.target_value * beta + row.positive_offset);
    let share = sigmoid(gap);
    return RowLoss(softplus(gap), share, -share * beta);
}
