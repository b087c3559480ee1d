// The query of every pair: the key by which pooled targets are grouped.
#import job

#bind read pair_rows array<u32>
#bind read row_ids array<u32>
#bind write pair_queries array<u32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let pair = group_index(group) * LANES + local;
    if pair >= job.pairs {
        return;
    }
    let row = pair_rows[pair];
    var query = row;
    if !has(IDENTITY) {
        query = row_ids[min(row, job.rows - 1u)];
    }
    pair_queries[pair] = query;
}
