// The slope by the positive's column parameter of losses whose target does not see it.
fn loss_target_column(positive: PositiveScore) -> f32 {
    return 0.0;
}
