// How often each digit occurs in each segment.
#import job
#import radix

#bind read ids array<u32>
#bind read order_before array<u32>
#bind write histogram array<u32>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group) * LANES + local;
    let segment = index / DIGITS;
    let own = index % DIGITS;
    if segment >= job.sort_segments {
        return;
    }
    let begin = segment * segment_length();
    let end = min(begin + segment_length(), job.sort_count);
    var count = 0u;
    for (var at = begin; at < end; at += 1u) {
        var place = at;
        if !has(IDENTITY) {
            place = order_before[at];
        }
        count += select(0u, 1u, digit(ids[place]) == own);
    }
    histogram[own * job.sort_segments + segment] = count;
}
