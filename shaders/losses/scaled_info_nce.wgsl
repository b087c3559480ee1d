// InfoNCE with a learnable scale: z = e^κ·s, the positive in the sum. θ₀ = κ.

fn loss_scale() -> f32 {
    return exact_exp(loss_theta(0u));
}

fn loss_pair(entry: Entry) -> Pair {
    let scale = loss_scale();
    return Pair(entry.score * scale, scale, 0.0);
}

fn loss_pair_theta(k: u32, entry: Entry) -> f32 {
    return entry.score * loss_scale();
}

fn loss_row(row: Row) -> RowLoss {
    let scale = loss_scale();
    let gap = row.sum - row.target_value * scale - row.positive_offset;
    let share = sigmoid(gap);
    return RowLoss(softplus(gap), share, -share * scale);
}

fn loss_row_theta(k: u32, row: Row) -> f32 {
    return loss_row(row).target_slope * row.target_value;
}

fn loss_theta_bounds(k: u32) -> vec2<f32> {
    return vec2<f32>(-1e30, 4.6051702);
}
