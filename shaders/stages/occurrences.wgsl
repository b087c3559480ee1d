// Sorted places → for every place the previous and next place of the same id, and for every id one
// more than its first place (0: none).
#import job

#bind read ids array<u32>
#bind read order array<u32>
#bind write links array<vec2<u32>>
#bind write heads array<u32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = group_index(group) * LANES + local;
    if at >= job.sort_count {
        return;
    }
    let place = order[at];
    let id = ids[place];
    var link = vec2<u32>(NONE);
    if at > 0u && ids[order[at - 1u]] == id {
        link.x = order[at - 1u];
    }
    if at + 1u < job.sort_count && ids[order[at + 1u]] == id {
        link.y = order[at + 1u];
    }
    links[place] = link;
#if HEADS
    if link.x == NONE && id < job.table_rows {
        heads[id] = place + 1u;
    }
#end
}
