// One digit of the search for each row's K-th largest score: the smallest number that fewer than K
// scores exceed. Numbers are taken in the order of their bits, sixteen parts of an interval at a
// time; the counts say in which part it lies.
#import job
#import loss_types

#bind write lows array<u32>
#bind write keys array<f32>
#bind write counts array<u32>
#bind write found array<f32>

const KEYS: u32 = 15u;
const LARGEST: f32 = 3.40282346e38;

// The float at a place in the order; infinities and what is no number give way to the extremes.
fn at_place(place: u32) -> f32 {
    if place < 0x00800000u {
        return -LARGEST;
    }
    if place >= 0xff800000u {
        return LARGEST;
    }
    return bitcast<f32>(select(~place, place ^ 0x80000000u, place >= 0x80000000u));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let item = group_index(group) * LANES + local;
    if item >= job.row_count {
        return;
    }
    let row = job.row_begin + item;
    var low = 0u;
    if !has(FIRST) {
        var digit = KEYS;
        for (var m = 0u; m < KEYS; m += 1u) {
            if counts[row * KEYS + m] < job.kth {
                digit = m;
                break;
            }
        }
        low = lows[row] + (digit << job.sort_shift);
    }
    lows[row] = low;
    if has(LAST) {
        found[row * job.row_parameters + job.parameter] = at_place(low) * parameters.scales.x;
        return;
    }
    let next = job.sort_shift - 4u;
    for (var m = 0u; m < KEYS; m += 1u) {
        keys[row * KEYS + m] = at_place(low + ((m + 1u) << next) - 1u);
        counts[row * KEYS + m] = 0u;
    }
}
