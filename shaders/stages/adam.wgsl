// The optimiser Adam on a piece of a table: moves every parameter against its gradient. Twin of
// `update` in src/train/adam.rs, operation by operation.
#import job

// Constants of one step, with the bias corrections taken.
struct Constants {
    decay: f32,
    beta1: f32,
    rest1: f32,
    beta2: f32,
    rest2: f32,
    // Learning rate over the bias correction of the mean.
    rate: f32,
    // One over the root of the bias correction of the mean square.
    scale: f32,
    epsilon: f32,
}

@group(0) @binding(1) var<uniform> constants: Constants;

#bind read gradients array<f32>
#bind write parameters array<f32>
#bind write means array<f32>
#bind write squares array<f32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let begin = group_index(group) * LANES * PER_LANE + local;
    for (var i = 0u; i < PER_LANE; i += 1u) {
        let at = begin + i * LANES;
        if at >= job.item_count {
            return;
        }
        let gradient = gradients[at] + constants.decay * parameters[at];
        let mean = constants.beta1 * means[at] + constants.rest1 * gradient;
        let square = constants.beta2 * squares[at] + constants.rest2 * gradient * gradient;
        means[at] = mean;
        squares[at] = square;
        parameters[at] -= constants.rate * mean / (sqrt(square) * constants.scale + constants.epsilon);
    }
}
