// The order that sorting per-row sampled ids starts from: row group by row group, within it unit of
// slots by unit, within that row by row. Chunks are made of whole groups, or of whole units of one
// group, so a chunk's places of one id follow each other.
#import job

#bind write order array<u32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = group_index(group) * LANES + local;
    if at >= job.sort_count {
        return;
    }
    let first_row = at / (LANES * ROWS * job.per_row) * LANES * ROWS;
    let rows = min(LANES * ROWS, job.sort_count / job.per_row - first_row);
    var rest = at - first_row * job.per_row;
    let first_slot = rest / (rows * COLUMN_UNIT) * COLUMN_UNIT;
    rest -= rows * first_slot;
    let slots = min(COLUMN_UNIT, job.per_row - first_slot);
    order[at] = (first_row + rest / slots) * job.per_row + first_slot + rest % slots;
}
