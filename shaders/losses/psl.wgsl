// PSL: z = log σ(s − t)/τ. Constants: 1/τ, positive in the sum (0 or 1), log σ(0)/τ.
// The surrogate's file gives log_activation: log σ(d) and its slope.

fn loss_pair(entry: Entry) -> Pair {
    let inverse_tau = loss_constant(0u);
    let activated = log_activation(entry.score - entry.target_value);
    let slope = activated.y * inverse_tau;
    return Pair(activated.x * inverse_tau, slope, -slope);
}

fn loss_row(row: Row) -> RowLoss {
    if loss_constant(1u) == 0.0 {
        return RowLoss(row.sum, 1.0, 0.0);
    }
    let own = loss_constant(2u) + row.positive_offset;
    let gap = row.sum - own;
    return RowLoss(own + softplus(gap) - row.positive_offset, sigmoid(gap), 0.0);
}

