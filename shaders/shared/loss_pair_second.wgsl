// The slope by the second tile's score of losses whose z does not see it.
fn loss_pair_second(entry: Entry) -> f32 {
    return 0.0;
}
