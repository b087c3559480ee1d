// gBCE: z = softplus(s), averaged with the positive's term, whose factor is β. Constants: 1, β.

fn loss_pair(entry: Entry) -> Pair {
    return Pair(softplus(entry.score), sigmoid(entry.score), 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let weight = 1.0 / (row.count + 1.0);
    let exponent = loss_constant(1u);
    let own = -row.target_value;
    return RowLoss(
        weight * (row.sum + exponent * softplus(own)),
        weight,
        -weight * exponent * sigmoid(own),
    );
}
