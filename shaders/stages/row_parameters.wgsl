// Numbers that belong to queries → those of the batch rows.
#import job

#bind read row_ids array<u32>
#bind read parameters_of_queries array<f32>
#bind write gathered array<f32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = group_index(group) * LANES + local;
    if row >= job.rows {
        return;
    }
    // Ids out of range are counted where rows are packed.
    let query = min(row_ids[row], job.query_rows - 1u);
    for (var k = 0u; k < job.row_parameters; k += 1u) {
        gathered[row * job.row_parameters + k] = parameters_of_queries[query * job.row_parameters + k];
    }
}
