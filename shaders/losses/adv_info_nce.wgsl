// AdvInfoNCE: z = r + s/τ. Constants: 1/τ, log K.

fn loss_pair(entry: Entry) -> Pair {
    let inverse_tau = loss_constant(0u);
    return Pair(entry.second + entry.score * inverse_tau, inverse_tau, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let inverse_tau = loss_constant(0u);
    let negatives = loss_constant(1u) + log(row.count) + row.sum - row.second_sum;
    let gap = negatives - row.target_value * inverse_tau - row.positive_offset;
    let share = sigmoid(gap);
    return RowLoss(softplus(gap), share, -share * inverse_tau);
}

fn loss_pair_second(entry: Entry) -> f32 {
    return 1.0;
}

fn loss_row_second(row: Row) -> f32 {
    return -loss_row(row).sum_slope;
}
