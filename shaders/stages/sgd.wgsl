// Gradient descent on a piece of a table: moves every parameter against its gradient. Twin of
// `Sgd::step` in src/train/sgd.rs, operation by operation.
#import job

// Constants of one step.
struct Constants {
    rate: f32,
    momentum: f32,
    decay: f32,
    padding: u32,
}

@group(0) @binding(1) var<uniform> constants: Constants;

#bind read gradients array<f32>
#bind write parameters array<f32>
#if MOMENTUM
#bind write velocities array<f32>
#end

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let begin = group_index(group) * LANES * PER_LANE + local;
    for (var i = 0u; i < PER_LANE; i += 1u) {
        let at = begin + i * LANES;
        if at >= job.item_count {
            return;
        }
        var step = gradients[at] + constants.decay * parameters[at];
#if MOMENTUM
        step += constants.momentum * velocities[at];
        velocities[at] = step;
#end
        parameters[at] -= constants.rate * step;
    }
}
