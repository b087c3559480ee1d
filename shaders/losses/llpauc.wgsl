// LLPAUC: z = r(x), x = (Q − b)² + 2(1 + γ)Q − s_neg, Q = σ(s), r the smooth hinge; averaged.
// Constants: κ, 1/α, 1/β, 1 for the authors' bounds. θ: a, b, s_pos, s_neg, γ, θ_a, θ_b.

// r(x) = softplus(κx)/κ and its slope.
fn hinge(x: f32) -> vec2<f32> {
    let kappa = loss_constant(0u);
    return vec2<f32>(softplus(kappa * x) / kappa, sigmoid(kappa * x));
}

fn lift() -> f32 {
    let one = 1.0 + loss_theta(4u);
    return one + one;
}

// Of a column: Q − b, r(x), its slope by x, Q.
fn column_terms(score: f32) -> vec4<f32> {
    let share = sigmoid(score);
    let off = share - loss_theta(1u);
    let hinged = hinge(off * off + lift() * share - loss_theta(3u));
    return vec4<f32>(off, hinged, share);
}

// Of a positive: P − a, r(x⁺), its slope by x⁺, P.
fn own_terms(score: f32) -> vec4<f32> {
    let share = sigmoid(score);
    let off = share - loss_theta(0u);
    let hinged = hinge(lift() * share - off * off - loss_theta(2u));
    return vec4<f32>(off, hinged, share);
}

fn loss_pair(entry: Entry) -> Pair {
    let terms = column_terms(entry.score);
    let by_share = terms.x + terms.x + lift();
    return Pair(terms.y, terms.z * by_share * (terms.w * sigmoid(-entry.score)), 0.0);
}

fn loss_pair_theta(k: u32, entry: Entry) -> f32 {
    let terms = column_terms(entry.score);
    switch k {
        case 1u: { return -terms.z * (terms.x + terms.x); }
        case 3u: { return -terms.z; }
        case 4u: { return terms.z * (terms.w + terms.w); }
        default: { return 0.0; }
    }
}

fn loss_row(row: Row) -> RowLoss {
    let inverse_alpha = loss_constant(1u);
    let gamma = loss_theta(4u);
    let terms = own_terms(row.target_value);
    let weight = select(0.0, loss_constant(2u) / max(row.count, 1.0), row.count > 0.0);
    let free = loss_theta(3u) - loss_theta(2u) - gamma * gamma
        + loss_theta(5u) * (loss_theta(0u) + gamma)
        + loss_theta(6u) * (gamma + 1.0 - loss_theta(1u));
    let by_share = lift() - (terms.x + terms.x);
    let slope = inverse_alpha * terms.z * by_share * (terms.w * sigmoid(-row.target_value));
    return RowLoss(weight * row.sum - inverse_alpha * terms.y + free, weight, -slope);
}

fn loss_row_theta(k: u32, row: Row) -> f32 {
    let gamma = loss_theta(4u);
    let terms = own_terms(row.target_value);
    let slope = loss_constant(1u) * terms.z;
    switch k {
        case 0u: { return loss_theta(5u) - slope * (terms.x + terms.x); }
        case 1u: { return -loss_theta(6u); }
        case 2u: { return slope - 1.0; }
        case 3u: { return 1.0; }
        case 4u: { return loss_theta(5u) + loss_theta(6u) - (gamma + gamma) - slope * (terms.w + terms.w); }
        case 5u: { return loss_theta(0u) + gamma; }
        default: { return gamma + 1.0 - loss_theta(1u); }
    }
}

fn loss_theta_bounds(k: u32) -> vec2<f32> {
    let authors = loss_constant(3u) != 0.0;
    switch k {
        case 0u, 1u: { return vec2<f32>(0.0, 1.0); }
        case 2u: { return vec2<f32>(-1.0, 4.0); }
        case 3u: { return vec2<f32>(0.0, 5.0); }
        case 4u: {
            let feasible = max(-loss_theta(0u), loss_theta(1u) - 1.0);
            return vec2<f32>(select(feasible, -1.0, authors), 1.0);
        }
        default: { return select(vec2<f32>(-1e30, 1e30), vec2<f32>(0.0, 1e9), authors); }
    }
}
