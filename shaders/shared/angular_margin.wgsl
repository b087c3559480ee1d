// How a margin maps the target's angle: twin of src/loss/angular/margin.rs. A margin is eight
// constants from `at` on: kind, m1, m2, m3, the cosine of the switch, and beyond it the factor on the
// cosine and what is taken off it; whether the slope is that of the unmapped cosine.
const PI: f32 = 3.1415927;
const AFFINE: f32 = 0.0;
const UNFOLDED: f32 = 1.0;

// T and dT/d theta of a pair.
struct Mapped {
    value: f32,
    slope: f32,
}

// cos(m1 theta + m2) - m3, or beyond the switch a multiple of the cosine less an offset.
fn affine_margin(at: u32, angle: f32, cosine: f32, sine: f32) -> Mapped {
    let m1 = loss_constant(at + 1u);
    let turned = fma(m1, angle, loss_constant(at + 2u));
    let kept = loss_constant(at + 5u);
    let inside = cosine > loss_constant(at + 4u);
    let value = select(kept * cosine - loss_constant(at + 6u), exact_cos(turned), inside);
    let slope = select(-kept * sine, -m1 * exact_sin(turned), inside);
    return Mapped(value - loss_constant(at + 3u), slope);
}

// psi of SphereFace, (-1)^k cos(m theta) - 2k with k = floor(m theta / pi), blended with the cosine.
fn unfolded_margin(at: u32, angle: f32, cosine: f32, sine: f32) -> Mapped {
    let m = loss_constant(at + 1u);
    let blend = loss_constant(at + 2u);
    let turned = m * angle;
    let folds = floor(turned / PI);
    let rest = fma(-folds, PI, turned);
    let value = exact_cos(rest) - 2.0 * folds;
    let slope = -m * abs(exact_sin(rest));
    return Mapped((blend * cosine + value) / (1.0 + blend), (slope - blend * sine) / (1.0 + blend));
}

// cos(pi (theta / pi)^m); beyond a right angle from what is left to pi, where nothing cancels.
fn exponential_margin(m: f32, angle: f32, rest: f32, obtuse: bool) -> Mapped {
    let log_share = select(exact_log(max(angle / PI, 1e-7)), exact_log1p(-rest / PI), obtuse);
    let turned = PI * exact_exp(m * log_share);
    let left = -PI * exact_expm1(m * log_share);
    let value = select(exact_cos(turned), -exact_cos(left), obtuse);
    let sine = select(exact_sin(turned), exact_sin(left), obtuse);
    return Mapped(value, -m * exact_exp((m - 1.0) * log_share) * sine);
}

// The margin at `at` on the pair's angle. An exponent of 0 stands for theta_0.
fn margin_of(at: u32, one_minus_cos: f32, one_plus_cos: f32) -> Mapped {
    let minus = sqrt(one_minus_cos);
    let plus = sqrt(one_plus_cos);
    let sine = minus * plus;
    let cosine = 0.5 * (one_plus_cos - one_minus_cos);
    let angle = 2.0 * exact_atan2(minus, plus);
    let kind = loss_constant(at);
    var mapped: Mapped;
    if kind == AFFINE {
        mapped = affine_margin(at, angle, cosine, sine);
    } else if kind == UNFOLDED {
        mapped = unfolded_margin(at, angle, cosine, sine);
    } else {
        let given = loss_constant(at + 1u);
        let m = select(given, loss_theta(0u), given == 0.0);
        mapped = exponential_margin(m, angle, 2.0 * exact_atan2(plus, minus), cosine < 0.0);
    }
    if loss_constant(at + 7u) != 0.0 {
        mapped.slope = -sine;
    }
    return mapped;
}
