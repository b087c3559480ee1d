// BPR: z = softplus(s − t), summed. Constants: 1, 1 for a mean over the columns.

fn loss_pair(entry: Entry) -> Pair {
    let gap = entry.score - entry.target_value;
    let slope = sigmoid(gap);
    return Pair(softplus(gap), slope, -slope);
}

fn loss_row(row: Row) -> RowLoss {
    let mean = select(0.0, 1.0 / max(row.count, 1.0), row.count > 0.0);
    let weight = select(mean, 1.0, loss_constant(1u) == 0.0);
    return RowLoss(weight * row.sum, weight, 0.0);
}
