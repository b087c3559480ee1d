// As `occurrences`, of a list that is short enough to compare every place with every other: one
// dispatch in place of a sort. Invocations of a team compare a place with their share of the list.
#import job

#bind read ids array<u32>
#bind write links array<vec2<u32>>
#bind write heads array<u32>

const NEIGHBOURS: u32 = TEAM * 4u;

// The last place before, plus one, and the first behind.
var<workgroup> found: array<vec2<u32>, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let place = group_index(group) * (LANES / TEAM) + local / TEAM;
    let last = job.sort_count - 1u;
    let id = ids[min(place, last)];
    var link = vec2<u32>(0u, NONE);
    for (var begin = local % TEAM; begin < job.sort_count; begin += NEIGHBOURS) {
#for u 4
        let at$u = min(begin + $uu * TEAM, last);
        let same$u = ids[at$u] == id;
#end
#for u 4
        link.x = select(link.x, max(at$u + 1u, link.x), same$u && at$u < place);
        link.y = select(link.y, min(at$u, link.y), same$u && at$u > place);
#end
    }
    found[local] = link;
    workgroupBarrier();
    if place > last || local % TEAM != 0u {
        return;
    }
    for (var i = 1u; i < TEAM; i += 1u) {
        let other = found[local + i];
        link = vec2<u32>(max(link.x, other.x), min(link.y, other.y));
    }
    links[place] = vec2<u32>(link.x - 1u, link.y);
#if HEADS
    if link.x == 0u && id < job.table_rows {
        heads[id] = place + 1u;
    }
#end
}
