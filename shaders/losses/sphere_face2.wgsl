// SphereFace2: z = softplus(r·N + b), summed; t = r·P, slope by the angle. Constants: r·t, r, t, the
// margin on both sides, 1 where detached, weight of the target, of the columns, the margin on the angle.
// θ₀ = b.
#import angular_margin

// g(c) = 2((c + 1)/2)^t − 1, and its derivative.
fn transformed(cosine: f32) -> vec2<f32> {
    let exponent = loss_constant(2u);
    let half = max(0.5 * (1.0 + cosine), 1e-30);
    let power = exact_exp((exponent - 1.0) * exact_log(half));
    return vec2<f32>(fma(2.0 * power, half, -1.0), exponent * power);
}

fn loss_target(positive: PositiveScore) -> Target {
    let scale = loss_constant(1u);
    let mapped = margin_of(7u, positive.one_minus_cos, positive.one_plus_cos);
    let given = transformed(mapped.value);
    let slope = select(mapped.slope, given.y * mapped.slope, loss_constant(4u) == 0.0);
    return Target(scale * (given.x - loss_constant(3u)), scale * slope, 0.0, 0.0);
}

fn loss_pair(entry: Entry) -> Pair {
    let scale = loss_constant(1u);
    let given = transformed(entry.score);
    let x = fma(scale, given.x + loss_constant(3u), loss_theta(0u));
    let by_cosine = select(1.0, given.y, loss_constant(4u) == 0.0);
    return Pair(softplus(x), scale * by_cosine * sigmoid(x), 0.0);
}

fn loss_pair_theta(k: u32, entry: Entry) -> f32 {
    let given = transformed(entry.score);
    return sigmoid(fma(loss_constant(1u), given.x + loss_constant(3u), loss_theta(0u)));
}

fn loss_row(row: Row) -> RowLoss {
    let on_target = loss_constant(5u);
    let on_columns = loss_constant(6u);
    let own = -(row.target_value + loss_theta(0u));
    return RowLoss(
        fma(on_columns, row.sum, on_target * softplus(own)), on_columns, -on_target * sigmoid(own),
    );
}

fn loss_row_theta(k: u32, row: Row) -> f32 {
    return loss_row(row).target_slope;
}
