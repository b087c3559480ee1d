fn loss_batch_value(positive: PositiveScore) -> f32 {
    return positive.query_norm + positive.row.x;
}

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

fn loss_pair(entry: Entry) -> Pair {
    let sharpness = loss_constant(0u);
    let x = sharpness * (entry.score - entry.column);
    return Pair(softplus(x), sharpness * sigmoid(x), 0.0);
}

fn loss_pair_column(entry: Entry) -> f32 {
    let sharpness = loss_constant(0u);
    return -sharpness * sigmoid(sharpness * (entry.score - entry.column));
}

fn loss_row(row: Row) -> RowLoss {
    let share = 1.0 + 0.25 * row.row.y;
    return RowLoss(share * row.sum - row.target_value, share, -1.0);
}
