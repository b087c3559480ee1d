// SphereFace-R v2: z = s·cos(θ/m) on every other class, cosines clamped. Constants: s, m, whether the
// slope is s.
const MOST: f32 = 0.99999;

fn loss_target(positive: PositiveScore) -> Target {
    let scale = loss_constant(0u);
    return Target(scale * positive.score, scale, 0.0, 0.0);
}

fn loss_pair(entry: Entry) -> Pair {
    let scale = loss_constant(0u);
    let m = loss_constant(1u);
    let cosine = clamp(entry.score, -MOST, MOST);
    let sine = sqrt((1.0 - cosine) * (1.0 + cosine));
    let turned = exact_atan2(sine, cosine) / m;
    let slope = select(0.0, exact_sin(turned) / (m * sine), abs(entry.score) <= MOST);
    return Pair(scale * exact_cos(turned), select(scale * slope, scale, loss_constant(2u) != 0.0), 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let gap = row.sum - row.target_value - row.positive_offset;
    let share = sigmoid(gap);
    return RowLoss(softplus(gap), share, -share);
}
