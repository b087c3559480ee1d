// AdaFace: t = s·(cos(θ + g) − a), g and a from the feature's norm among those seen. Constants: s, m,
// h, weight of a batch. θ: mean and deviation of norms.
const MARGIN_EDGE: f32 = 0.001;
const PI: f32 = 3.1415927;

fn loss_batch_value(positive: PositiveScore) -> f32 {
    return clamp(positive.query_norm, 0.001, 100.0);
}

fn loss_theta_state(k: u32, batch: vec4<f32>, negative_mean: f32, negatives: f32) -> f32 {
    var seen = batch.x;
    if k == 1u {
        // The deviation of one number is not known.
        seen = select(loss_theta(1u), sqrt(batch.y * batch.w / max(batch.w - 1.0, 1.0)), batch.w > 1.0);
    }
    return mix(loss_theta(k), seen, loss_constant(3u));
}

fn loss_target(positive: PositiveScore) -> Target {
    let scale = loss_constant(0u);
    let m = loss_constant(1u);
    let norm = clamp(positive.query_norm, 0.001, 100.0);
    let deviation = (norm - loss_theta(0u)) / (loss_theta(1u) + MARGIN_EDGE);
    let share = clamp(loss_constant(2u) * deviation, -1.0, 1.0);
    let angle = 2.0 * exact_atan2(sqrt(positive.one_minus_cos), sqrt(positive.one_plus_cos));
    let turned = angle - m * share;
    let within = clamp(turned, MARGIN_EDGE, PI - MARGIN_EDGE);
    let slope = select(0.0, -exact_sin(turned), turned == within);
    return Target(scale * (exact_cos(within) - (m + m * share)), scale * slope, 0.0, 0.0);
}

fn loss_pair(entry: Entry) -> Pair {
    let scale = loss_constant(0u);
    return Pair(entry.score * scale, scale, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let gap = row.sum - row.target_value - row.positive_offset;
    let share = sigmoid(gap);
    return RowLoss(softplus(gap), share, -share);
}
