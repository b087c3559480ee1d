// Counts of candidates that score more → ranks from 1.
#import job

#bind read counts array<u32>
#bind write ranks array<f32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let item = group_index(group) * LANES + local;
    if item < job.item_count {
        ranks[item] = f32(counts[item] + 1u);
    }
}
