// SL@K: z = s/τ; the softmax loss times σ((t − q)/τ_w). Constants: 1/τ, 1/τ_w. Row parameter: q.

fn loss_pair(entry: Entry) -> Pair {
    let inverse_tau = loss_constant(0u);
    return Pair(entry.score * inverse_tau, inverse_tau, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let inverse_tau = loss_constant(0u);
    let inverse_tau_w = loss_constant(1u);
    let lead = (row.target_value - row.row.x) * inverse_tau_w;
    let weight = sigmoid(lead);
    let softmax = row.sum - row.target_value * inverse_tau;
    let weight_slope = weight * sigmoid(-lead) * inverse_tau_w;
    return RowLoss(weight * softmax, weight, weight_slope * softmax - weight * inverse_tau);
}
