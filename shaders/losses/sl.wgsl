// SL and InfoNCE: z = s/τ. Constants: 1/τ, positive in the sum (0 or 1).

fn loss_pair(entry: Entry) -> Pair {
    let inverse_tau = loss_constant(0u);
    return Pair(entry.score * inverse_tau, inverse_tau, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let inverse_tau = loss_constant(0u);
    let gap = row.sum - row.target_value * inverse_tau;
    if loss_constant(1u) == 0.0 {
        return RowLoss(gap, 1.0, -inverse_tau);
    }
    let with_positive = gap - row.positive_offset;
    let share = sigmoid(with_positive);
    return RowLoss(softplus(with_positive), share, -share * inverse_tau);
}
