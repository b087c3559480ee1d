// MSE: z = s², summed. Constants: 1, w, 1 for a mean over the columns.

fn loss_pair(entry: Entry) -> Pair {
    return Pair(entry.score * entry.score, entry.score + entry.score, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let mean = select(0.0, loss_constant(1u) / max(row.count, 1.0), row.count > 0.0);
    let weight = select(mean, loss_constant(1u), loss_constant(2u) == 0.0);
    let gap = row.target_value - 1.0;
    return RowLoss(weight * row.sum + gap * gap, weight, gap + gap);
}
