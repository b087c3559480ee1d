// What statistics over the batch are taken of, unless the loss says otherwise.
fn loss_batch_value(positive: PositiveScore) -> f32 {
    return positive.score;
}
