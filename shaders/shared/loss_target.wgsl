// The target of losses without a margin map.
fn loss_target(positive: PositiveScore) -> Target {
    return Target(positive.score, 1.0, 0.0, 0.0);
}
