// Least and largest value of a learnable scalar of losses that name none.
fn loss_theta_bounds(k: u32) -> vec2<f32> {
    return vec2<f32>(-1e30, 1e30);
}
