// Naive sample-to-sample loss: z = γ·cos, averaged. Constants: γ.

fn loss_pair(entry: Entry) -> Pair {
    let scale = loss_constant(0u);
    return Pair(scale * entry.score, scale, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let scale = loss_constant(0u);
    let share = 1.0 / max(row.count, 1.0);
    return RowLoss(share * row.sum - scale * row.target_value, share, -scale);
}
