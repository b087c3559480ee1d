// Statistics over the batch → θ, where a loss keeps state in it; before anything else reads it. A
// batch without live pairs leaves it as it is.
#import job
#import math
#import loss_types
#import loss

#bind read batch_statistics array<vec4<f32>>
#bind write theta_after array<f32>

@compute @workgroup_size(1)
fn main() {
    let seen = batch_statistics[0];
    for (var k = 0u; k < STATES; k += 1u) {
        var state = loss_theta(k);
        if seen.w > 0.0 {
            state = loss_theta_state(k, seen, batch_statistics[1].x, f32(job.columns - 1u));
        }
        theta_after[k] = state;
    }
}
