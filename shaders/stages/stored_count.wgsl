// Stored scores → counts, per row and key, of the candidates that score more, as in `rank_count`, for
// GPUs. Counts are integers, so that adding them up from several invocations has one result.
//
// A workgroup owns four rows with STORED_KEYS keys of each, or with PAIRS a pair with its key, and a span of
// columns, of which its invocations take turns.
#import job

// Four rows per vec4.
#bind read scores array<vec4<f32>>
#if PAIRS
#bind read pair_rows array<u32>
#end
#bind read keys array<f32>
#bind write counts array<atomic<u32>>

#if PAIRS
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group);
    if index >= job.groups {
        return;
    }
    let pair = index % job.pairs;
    let row = pair_rows[pair] - job.row_begin;
    if row >= job.row_count {
        return;
    }
    let begin = index / job.pairs * job.span_width;
    let end = min(begin + job.span_width, job.weight_count);
    let key = keys[pair];
    var above = 0u;
    for (var column = begin + local; column < end; column += LANES) {
        above += select(0u, 1u, scores[(row / 4u) * job.weight_pad + column][row % 4u] > key);
    }
    if above > 0u {
        atomicAdd(&counts[pair], above);
    }
}
#else
// The row's key, or its last.
fn key_of(row: u32, key: u32) -> f32 {
    let own = job.row_begin + min(row, job.row_count - 1u);
    return keys[own * job.per_row + min(key, job.per_row - 1u)];
}

fn count(row: u32, key: u32, above: u32) {
    if above > 0u && row < job.row_count && key < job.per_row {
        atomicAdd(&counts[(job.row_begin + row) * job.per_row + key], above);
    }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let index = group_index(group);
    if index >= job.groups {
        return;
    }
    let quads = (job.row_count + 3u) / 4u;
    let key_blocks = (job.per_row + STORED_KEYS - 1u) / STORED_KEYS;
    let quad = index % quads;
    let first = (index / quads % key_blocks) * STORED_KEYS;
    let begin = index / (quads * key_blocks) * job.span_width;
    let end = min(begin + job.span_width, job.weight_count);
#for m STORED_KEYS
    let key$m = vec4<f32>(
#for i 4
        key_of(quad * 4u + $iu, first + $mu),
#end
    );
    var above$m = vec4<u32>(0u);
#end
    for (var column = begin + local; column < end; column += LANES) {
        let four = scores[quad * job.weight_pad + column];
#for m STORED_KEYS
        above$m += select(vec4<u32>(0u), vec4<u32>(1u), four > key$m);
#end
    }
#for m STORED_KEYS
#for i 4
    count(quad * 4u + $iu, first + $mu, above$m[$i]);
#end
#end
}
#end
