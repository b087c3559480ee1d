// GuidedRec's cross-entropy: z = softplus(s), summed; the positive weighs as much as all columns.
// Constants: 1.

fn loss_pair(entry: Entry) -> Pair {
    return Pair(softplus(entry.score), sigmoid(entry.score), 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let own = -row.target_value;
    return RowLoss(row.sum + row.count * softplus(own), 1.0, -row.count * sigmoid(own));
}
