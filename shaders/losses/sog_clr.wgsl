// SogCLR: z = s/τ. Constants: 1/τ, log(1 − γ), log γ. Row parameter: log g.

const UNSET: f32 = -5e29;

// log g after the batch, and ĝ/g.
fn average(row: Row) -> vec2<f32> {
    let estimate = row.sum - exact_log(row.count);
    let before = row.row.x;
    let old = loss_constant(1u) + before;
    let new_share = loss_constant(2u) + estimate;
    let merged = max(old, new_share) + exact_log1p_unit(exact_exp(-abs(old - new_share)));
    let after = select(merged, estimate, before <= UNSET);
    return vec2<f32>(after, exact_exp(estimate - after));
}

fn loss_pair(entry: Entry) -> Pair {
    let inverse_tau = loss_constant(0u);
    return Pair(entry.score * inverse_tau, inverse_tau, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let inverse_tau = loss_constant(0u);
    let ratio = average(row).y;
    return RowLoss(ratio - row.target_value * inverse_tau, ratio, -inverse_tau);
}

fn loss_row_state(row: Row) -> vec2<f32> {
    return vec2<f32>(average(row).x, row.row.y);
}
