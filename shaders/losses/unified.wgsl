// USS, UCE and the sample-to-sample cross-entropy: z = softplus(γ·cos − b − b_j), summed.
// Constants: γ; m, taken off the positive's cosine; clip of the exponent; λ, weight of the columns; the
// margin on the angle, of kind 3 where m is the margin. θ₀ = b.
#import angular_margin

const ON_COSINE: f32 = 3.0;

fn clipped(x: f32) -> vec2<f32> {
    let limit = loss_constant(2u);
    let clip = clamp(x, -limit, limit);
    return vec2<f32>(softplus(clip), select(0.0, sigmoid(clip), abs(x) <= limit));
}

fn loss_target(positive: PositiveScore) -> Target {
    let scale = loss_constant(0u);
    var mapped = Mapped(positive.score - loss_constant(1u), 1.0);
    if loss_constant(4u) != ON_COSINE {
        mapped = margin_of(4u, positive.one_minus_cos, positive.one_plus_cos);
    }
    return Target(scale * mapped.value - positive.column, scale * mapped.slope, 0.0, 0.0);
}

fn loss_target_column(positive: PositiveScore) -> f32 {
    return -1.0;
}

fn column_term(entry: Entry) -> vec2<f32> {
    return clipped(loss_constant(0u) * entry.score - (loss_theta(0u) + entry.column));
}

fn loss_pair(entry: Entry) -> Pair {
    let term = column_term(entry);
    return Pair(term.x, loss_constant(0u) * term.y, 0.0);
}

fn loss_pair_theta(k: u32, entry: Entry) -> f32 {
    return -column_term(entry).y;
}

fn loss_pair_column(entry: Entry) -> f32 {
    return -column_term(entry).y;
}

fn own_term(row: Row) -> vec2<f32> {
    return clipped(loss_theta(0u) - row.target_value);
}

fn loss_row(row: Row) -> RowLoss {
    let term = own_term(row);
    let neg_weight = loss_constant(3u);
    return RowLoss(fma(neg_weight, row.sum, term.x), neg_weight, -term.y);
}

fn loss_row_theta(k: u32, row: Row) -> f32 {
    return own_term(row).y;
}
