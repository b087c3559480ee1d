// USS: z = softplus(γ·cos − b), summed. Constants: γ, m, clip of the exponent. θ₀ = b.

fn clipped(x: f32) -> vec2<f32> {
    let limit = loss_constant(2u);
    let clip = clamp(x, -limit, limit);
    return vec2<f32>(softplus(clip), select(0.0, sigmoid(clip), abs(x) <= limit));
}

fn loss_pair(entry: Entry) -> Pair {
    let scale = loss_constant(0u);
    let term = clipped(scale * entry.score - loss_theta(0u));
    return Pair(term.x, scale * term.y, 0.0);
}

fn loss_pair_theta(k: u32, entry: Entry) -> f32 {
    return -clipped(loss_constant(0u) * entry.score - loss_theta(0u)).y;
}

fn own(row: Row) -> vec2<f32> {
    return clipped(loss_theta(0u) - loss_constant(0u) * (row.target_value - loss_constant(1u)));
}

fn loss_row(row: Row) -> RowLoss {
    let term = own(row);
    return RowLoss(row.sum + term.x, 1.0, -loss_constant(0u) * term.y);
}

fn loss_row_theta(k: u32, row: Row) -> f32 {
    return own(row).y;
}
