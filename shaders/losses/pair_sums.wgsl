// Multi-Similarity and Proxy-Anchor: z = β(s − λ_n), t = −α(s⁺ − λ_p), both log-summed.
// Constants: β, λ_n, α, λ_p, weight of the positives' part, of the negatives'. Row parameter: added
// to the former.

fn loss_target(positive: PositiveScore) -> Target {
    let alpha = loss_constant(2u);
    return Target(-(alpha * (positive.score - loss_constant(3u))), -alpha, 0.0, 0.0);
}

fn loss_pair(entry: Entry) -> Pair {
    let beta = loss_constant(0u);
    return Pair(beta * (entry.score - loss_constant(1u)), beta, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let on_positives = loss_constant(4u) + row.row.x;
    let on_negatives = loss_constant(5u);
    return RowLoss(
        fma(on_positives, softplus(row.target_value), on_negatives * softplus(row.sum)),
        on_negatives * sigmoid(row.sum),
        on_positives * sigmoid(row.target_value),
    );
}

fn loss_pool_scale() -> f32 {
    return 1.0;
}
