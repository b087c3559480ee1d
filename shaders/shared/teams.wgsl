// TEAM neighbouring invocations share an item on GPUs, which have more invocations than items; one
// has it alone elsewhere. All of a workgroup call these, in the same order.
#if TEAMS
var<workgroup> shares: array<f32, LANES>;

fn largest_of_team(local: u32, own: f32) -> f32 {
    workgroupBarrier();
    shares[local] = own;
    workgroupBarrier();
    var largest = own;
    for (var i = 0u; i < TEAM; i += 1u) {
        largest = max(largest, shares[local / TEAM * TEAM + i]);
    }
    return largest;
}

// In the order of the invocations.
fn sum_of_team(local: u32, own: f32) -> f32 {
    workgroupBarrier();
    shares[local] = own;
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i < TEAM; i += 1u) {
        sum += shares[local / TEAM * TEAM + i];
    }
    return sum;
}
#else
fn largest_of_team(local: u32, own: f32) -> f32 {
    return own;
}

fn sum_of_team(local: u32, own: f32) -> f32 {
    return own;
}
#end

// The item of an invocation.
fn item_of_team(group: vec3<u32>, local: u32) -> u32 {
    return group_index(group) * (LANES / TEAM) + local / TEAM;
}
