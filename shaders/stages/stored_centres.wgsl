// Stored scores → of every class's sub-centres all but the best are masked, as in `centre_masks`, for GPUs.
//
// An invocation owns four rows and with them their mask words; stretches hold whole words and whole
// classes.
#import job

// Four rows per vec4.
#bind read stored array<vec4<f32>>
#bind write masks array<vec4<u32>>

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let item = group_index(group) * LANES + local;
    let stretches = (job.weight_pad + job.span_width - 1u) / job.span_width;
    let quad = item / stretches;
    if quad * 4u >= job.row_pad {
        return;
    }
    let begin = (item % stretches) * job.span_width;
    let end = min(begin + job.span_width, job.weight_pad);
    let words = quad * (job.column_pad / 32u);
    var place = 0u;
    var top = vec4<f32>(0.0);
    var kept = vec4<u32>(0u);
    for (var column = begin; column < end; column += 1u) {
        let scores = stored[quad * job.weight_pad + column];
        let at = job.weight_begin + column;
#insert best_centre
    }
}
