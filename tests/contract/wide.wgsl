fn loss_target(positive: PositiveScore) -> Target {
    let seen = positive.batch.x + positive.batch.y + 0.1 * positive.batch.z;
    let slope = 1.0 + 0.1 * positive.row.x + 0.1 * seen;
    return Target(
        slope * positive.score - 0.5 * positive.column * positive.column,
        slope,
        0.0,
        positive.row.y + 0.1 * positive.batch.w,
    );
}

fn loss_target_column(positive: PositiveScore) -> f32 {
    return -positive.column;
}

fn entry_factor(entry: Entry) -> f32 {
    return loss_constant(0u) * (1.0 + 0.25 * entry.constant);
}

fn entry_logit(entry: Entry) -> f32 {
    return entry_factor(entry) * (entry.score - entry.target_value + 0.1 * entry.row_constant)
        + entry.column * entry.column
        + theta() * entry.score;
}

fn loss_pair(entry: Entry) -> Pair {
    let x = entry_logit(entry);
    let slope = entry_factor(entry) * sigmoid(x);
    return Pair(softplus(x), slope + theta() * sigmoid(x), -slope);
}

fn loss_pair_column(entry: Entry) -> f32 {
    return 2.0 * entry.column * sigmoid(entry_logit(entry));
}

fn loss_row(row: Row) -> RowLoss {
    let share = 1.0 + 0.25 * row.row.y + 0.1 * theta();
    return RowLoss(share * row.sum - row.target_value, share, -1.0);
}
