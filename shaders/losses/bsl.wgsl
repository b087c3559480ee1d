// BSL, every form. Constants: 1/τ of the columns, factor on R, factor on t,
// 1 for a mean over the columns, κ of the pool.

fn loss_pair(entry: Entry) -> Pair {
    let inverse_tau = loss_constant(0u);
    return Pair(entry.score * inverse_tau, inverse_tau, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let on_sum = loss_constant(1u);
    let on_target = loss_constant(2u);
    let sum = row.sum - loss_constant(3u) * log(row.count);
    return RowLoss(on_sum * sum - on_target * row.target_value, on_sum, -on_target);
}

fn loss_pool_scale() -> f32 {
    return loss_constant(4u);
}
