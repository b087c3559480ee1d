// MagFace: t = s·cos(θ + m(‖x‖)), and a penalty on norms. Constants: s, least and most norm, least
// margin, its slope, weight of the penalty, what happens beyond the switch.
const HARD_THRESHOLD: f32 = 1.0;
const EASY: f32 = 2.0;
const CLAMPED: f32 = 3.0;

fn norm_within(norm: f32) -> f32 {
    return clamp(norm, loss_constant(1u), loss_constant(2u));
}

// The part of a slope by the norm that is left where the norm is clipped.
fn moving(norm: f32) -> f32 {
    return select(0.0, 1.0, norm > loss_constant(1u) && norm < loss_constant(2u));
}

fn loss_target(positive: PositiveScore) -> Target {
    let scale = loss_constant(0u);
    let norm = norm_within(positive.query_norm);
    let m = fma(loss_constant(4u), norm - loss_constant(1u), loss_constant(3u));
    let cosine = 0.5 * (positive.one_plus_cos - positive.one_minus_cos);
    let sine = sqrt(positive.one_minus_cos * positive.one_plus_cos);
    let cos_m = exact_cos(m);
    let sin_m = exact_sin(m);
    let across = sine * cos_m + cosine * sin_m;
    // T, dT/dθ, dT/dm.
    var mapped = vec3<f32>(cosine * cos_m - sine * sin_m, -across, -across);
    let variant = loss_constant(6u);
    if variant == EASY {
        mapped = select(vec3<f32>(cosine, -sine, 0.0), mapped, cosine > 0.0);
    } else if variant == HARD_THRESHOLD {
        mapped = select(vec3<f32>(cosine - m * sin_m, -sine, -(sin_m + m * cos_m)), mapped, cosine > -cos_m);
    } else if variant == CLAMPED {
        mapped = select(vec3<f32>(-1.0, 0.0, 0.0), mapped, cosine > -cos_m);
    }
    let own = norm / (loss_constant(2u) * loss_constant(2u)) + 1.0 / norm;
    let by_norm = moving(positive.query_norm) * loss_constant(4u) * mapped.z;
    return Target(scale * mapped.x, scale * mapped.y, scale * by_norm, loss_constant(5u) * own);
}

fn loss_norm_slope(positive: PositiveScore) -> f32 {
    let norm = norm_within(positive.query_norm);
    let slope = 1.0 / (loss_constant(2u) * loss_constant(2u)) - 1.0 / (norm * norm);
    return moving(positive.query_norm) * loss_constant(5u) * slope;
}

fn loss_pair(entry: Entry) -> Pair {
    let scale = loss_constant(0u);
    return Pair(entry.score * scale, scale, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let gap = row.sum - row.target_value - row.positive_offset;
    let share = sigmoid(gap);
    return RowLoss(softplus(gap) + row.row_constant, share, -share);
}
