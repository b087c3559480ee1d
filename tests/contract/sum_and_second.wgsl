fn loss_pair(entry: Entry) -> Pair {
    return Pair(entry.score * entry.second, entry.second, 0.0);
}

fn loss_pair_second(entry: Entry) -> f32 {
    return entry.score;
}

fn loss_row(row: Row) -> RowLoss {
    let share = 1.0 / row.count;
    return RowLoss(share * row.sum + second_sum(row) - row.target_value, share, -1.0);
}

