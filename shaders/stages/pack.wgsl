// Rows of a caller's table → packed rows: f32 or halves, padded with zeros, of unit length for cosines,
// followed by a record (1/norm, norm, −log q, parameter); for the sampled columns of a row the norm
// makes room for the entry's constant. Everything behind this stage reads packed
// rows only, so width, stride, storage type, ids and binding limits end here.
//
// One dispatch per bound piece of the table; rows whose id lies in another piece are left alone.
#import job
#import status
#import table_rows
#import teams
#import packed_row

#if ALIGNED
#bind read table array<vec4<u32>>
#else
#bind read table array<u32>
#end
#bind read ids array<u32>
#bind read links array<vec2<u32>>
#bind read log_q array<f32>
#bind read column_parameters array<f32>
#if SAMPLED
#bind read entry_constants array<f32>
#end
#insert packed_writes
#bind write status array<atomic<u32>>

// Where item's id stands in the list, or NONE for padding.
fn place(item: u32) -> u32 {
    if item >= job.item_count {
        return NONE;
    }
#if SAMPLED
    let slot = item % job.column_pad;
    let row = item / job.column_pad;
    if slot >= job.column_count || row >= job.row_count {
        return NONE;
    }
    return (job.row_begin + row) * job.per_row + job.column_begin + slot;
#else
    return job.item_begin + item;
#end
}

// A team shares a row: every TEAMth four numbers are an invocation's own.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let item = item_of_team(group, local);
    let begin = local % TEAM;
    let at = job.packed_at + item * job.packed_stride;
    let list_place = place(item);
    var id = list_place;
    if list_place != NONE && !has(IDENTITY) {
        id = ids[list_place];
    }
    let inside = item < job.item_pad;
    let here = inside && id < job.table_rows && id >= job.table_begin && id < job.table_begin + job.table_count;
    let base = (id - job.table_begin) * job.table_stride;
    var own = 0.0;
    if here {
        own = magnitude(base, begin, TEAM);
    }
    let largest = largest_of_team(local, own);
    if here && largest > 0.0 {
        own = squares(base, largest, begin, TEAM);
    }
    // Of the largest: neither overflows nor underflows.
    let length = sqrt(sum_of_team(local, own));
    if here {
        put_row(base, at, begin, largest, length);
        if begin == 0u {
            finish(list_place, id, at, largest, length);
        }
    } else if inside && id >= job.table_rows && job.table_begin == 0u {
        put_nothing(at, begin, TEAM);
        let ignored = has(IGNORABLE) && (id == NONE || (id == ABSENT && has(ABSENT_ROWS)));
        if begin == 0u && list_place != NONE && !ignored && has(COUNT) {
            atomicAdd(&status[BAD_IDS], 1u);
        }
    }
}

// The record behind the numbers, and what is wrong with the row.
fn finish(list_place: u32, id: u32, at: u32, largest: f32, length: f32) {
    let norm = largest * length;
    if largest == 0.0 && has(COUNT_ZERO) {
        // Repeats of an id count once.
        var repeat = false;
        if !has(IDENTITY) {
            repeat = links[list_place].x != NONE;
        }
        if !repeat {
            atomicAdd(&status[select(ZERO_QUERIES, ZERO_CANDIDATES, has(CANDIDATES))], 1u);
        }
    }
    let offset = select(0.0, -log_q[select(0u, id, has(LOG_Q))], has(LOG_Q));
    let inverse = select(1.0, select(1.0 / norm, 0.0, norm == 0.0), has(COSINE));
    var parameter = 0.0;
    if has(COLUMN_PARAMETERS) {
        parameter = column_parameters[id];
    }
    var record = vec4<f32>(inverse, norm, offset, parameter);
#if SAMPLED
    record.y = 0.0;
    if has(ENTRY_CONSTANTS) {
        record.y = entry_constants[list_place];
    }
#end
    let infinite = (bitcast<vec4<u32>>(record) & vec4<u32>(0x7f800000u)) == vec4<u32>(0x7f800000u);
    if has(COUNT) && any(vec3<bool>(infinite.y && has(ENTRY_CONSTANTS), infinite.zw)) {
        atomicAdd(&status[NOT_FINITE], 1u);
    }
    put_record(at + job.dim4, record);
}
