// Counts → where each digit of each segment begins: an exclusive scan by one workgroup.
#import job
#import radix

#bind write histogram array<u32>

const THREADS: u32 = 64u;
var<workgroup> totals: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
    let count = job.sort_segments * DIGITS;
    let length = (count + THREADS - 1u) / THREADS;
    let begin = min(local * length, count);
    let end = min(begin + length, count);
    var sum = 0u;
    for (var at = begin; at < end; at += 1u) {
        sum += histogram[at];
    }
    totals[local] = sum;
    workgroupBarrier();
    var before = 0u;
    for (var thread = 0u; thread < local; thread += 1u) {
        before += totals[thread];
    }
    for (var at = begin; at < end; at += 1u) {
        let own = histogram[at];
        histogram[at] = before;
        before += own;
    }
}
