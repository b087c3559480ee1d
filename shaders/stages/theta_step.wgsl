// The trainer's step on the loss's scalars θ: each moves against its gradient at its own share of
// the learning rate, then all are brought into the loss's bounds, in order. One invocation, for
// there are at most 16. Twin of `ScalarMover::step` in src/train/scalars.rs, in f32.
#import job
#import math
#import loss_types
#import loss

// Constants of one step.
struct Update {
    // The loss's.
    constants: array<vec4<f32>, 4>,
    // Each scalar's share of the learning rate; below 0 to ascend.
    shares: array<vec4<f32>, 4>,
    decay: f32,
    // Adam's β; the first is descent's momentum.
    beta1: f32,
    rest1: f32,
    beta2: f32,
    rest2: f32,
    // Learning rate, for Adam over the bias correction of the mean.
    rate: f32,
    // One over the root of the bias correction of the mean square.
    scale: f32,
    epsilon: f32,
}

@group(0) @binding(1) var<uniform> update: Update;

#bind read gradients array<f32>
#bind write thetas array<f32>
// One list of THETAS numbers after the other; a word of no meaning where there is none.
#bind write moments array<f32>

fn moved(k: u32) -> f32 {
    let theta = thetas[k];
    let share = update.shares[k / 4u][k % 4u];
    // Weight decay shrinks also what ascends.
    let gradient = select(gradients[k], -gradients[k], share < 0.0) + update.decay * theta;
    let rate = update.rate * abs(share);
#if ADAM
    let mean = update.beta1 * moments[k] + update.rest1 * gradient;
    let square = update.beta2 * moments[THETAS + k] + update.rest2 * gradient * gradient;
    moments[k] = mean;
    moments[THETAS + k] = square;
    return theta - rate * mean / (sqrt(square) * update.scale + update.epsilon);
#else
#if MOMENTUM
    let velocity = update.beta1 * moments[k] + gradient;
    moments[k] = velocity;
    return theta - rate * velocity;
#else
    return theta - rate * gradient;
#end
#end
}

@compute @workgroup_size(1)
fn main() {
    parameters.constants = update.constants;
    for (var k = 0u; k < THETAS; k += 1u) {
        parameters.theta[k / 4u][k % 4u] = moved(k);
    }
    for (var k = 0u; k < THETAS; k += 1u) {
        let bounds = loss_theta_bounds(k);
        let value = min(max(loss_theta(k), bounds.x), bounds.y);
        parameters.theta[k / 4u][k % 4u] = value;
        thetas[k] = value;
    }
}
