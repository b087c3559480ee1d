// CCL: z = max(0, s − m), averaged with weight w. Constants: 1, w, m.

fn loss_pair(entry: Entry) -> Pair {
    let above = entry.score - loss_constant(2u);
    return Pair(max(above, 0.0), select(0.0, 1.0, above > 0.0), 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let weight = select(0.0, loss_constant(1u) / max(row.count, 1.0), row.count > 0.0);
    return RowLoss(weight * row.sum + (1.0 - row.target_value), weight, -1.0);
}
