// Circle loss on classes: z = γα(s − m), t = γα⁺(s⁺ − (1 − m)); slopes take the weights α for constants.
// Constants: γ, m.

fn loss_target(positive: PositiveScore) -> Target {
    let margin = loss_constant(1u);
    let weight = loss_constant(0u) * max(1.0 + margin - positive.score, 0.0);
    return Target(weight * (positive.score - (1.0 - margin)), weight, 0.0, 0.0);
}

fn loss_pair(entry: Entry) -> Pair {
    let margin = loss_constant(1u);
    let weight = loss_constant(0u) * max(entry.score + margin, 0.0);
    return Pair(weight * (entry.score - margin), weight, 0.0);
}

fn loss_row(row: Row) -> RowLoss {
    let gap = row.sum - row.target_value - row.positive_offset;
    let share = sigmoid(gap);
    return RowLoss(softplus(gap), share, -share);
}
