// Score, angle and target of every (row, positive) pair of the chunk. Angles come from the chords
// ‖q̂ − ĉ‖ and ‖q̂ + ĉ‖, exact where the cosine has no digits left.
#import job
#import loss_types
#import math
#import loss
#import pair_records
#if GIVEN
#import status
#end

#if GIVEN
// Scores that the caller brings, and those of a reference to subtract.
#bind read given array<f32>
#bind read reference array<f32>
#else
#packed queries
#packed positives
#end
#bind read pair_rows array<u32>
#bind read pair_inputs array<vec4<f32>>
#if BATCH_VALUES
// A pass before the others: only what the statistics over the batch are taken of.
#bind write batch_values array<f32>
#if NEGATIVE_MEAN
#bind read table_sum array<vec4<f32>>
#bind write batch_negatives array<f32>
#end
#else
#if BATCH_STATISTICS
#bind read batch_statistics array<vec4<f32>>
#end
#if RANKS
#bind read pair_ranks array<f32>
#end
#bind write pair_scores array<PairScore>
#bind write pair_terms array<vec4<f32>>
#if GIVEN
#bind write status array<atomic<u32>>
#end
#end

// Below this the direction from q̂ to ĉ is rounding.
const SMALLEST_SINE: f32 = 1e-6;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let item = group_index(group) * LANES + local;
    let pair = job.pair_begin + item;
    if item >= job.pair_count {
        return;
    }
    let row = pair_rows[pair] - job.row_begin;
    if row >= job.row_count {
        return;
    }
#if GIVEN
#insert given_geometry
#else
#insert positive_geometry
#end
    let scaled = dots * parameters.scales.x;
    let inputs = pair_inputs[pair];
    var second = 0.0;
#if REFERENCE_TABLES
#insert reference_score
#end
    var rank = 0.0;
#if RANKS
    rank = pair_ranks[pair];
#end
#if BATCH_STATISTICS
    let batch = batch_statistics[0];
#else
    let batch = vec4<f32>(0.0);
#end
    let seen = PositiveScore(
        scaled, select(1.0, 0.5 * minus, angle), select(1.0, 0.5 * plus, angle), norm,
        inputs.zw, record.w, second, rank, batch,
    );
#if BATCH_VALUES
    batch_values[pair] = loss_batch_value(seen);
#if NEGATIVE_MEAN
    // Σ_j s_j less the positive's own.
    var others = -dots;
    for (var k = 0u; k < job.dim4; k += 1u) {
        others += dot(queries_numbers(q + k), table_sum[k]);
    }
    batch_negatives[pair] = others * parameters.scales.x / f32(job.columns - 1u);
#end
#else
    var mapped = loss_target(seen);
    if inputs.y < 0.0 {
        mapped = Target(DEAD, 0.0, 0.0, 0.0);
    }
    let sine = 0.5 * sqrt(minus * plus);
    let inverse_sine = select(1.0 / sine, 0.0, sine < SMALLEST_SINE);
#if COLUMNS
    let column_slope = select(loss_target_column(seen), 0.0, inputs.y < 0.0);
#else
    let column_slope = 0.0;
#end
#if NORM_SLOPE
    let own_norm_slope = select(loss_norm_slope(seen), 0.0, inputs.y < 0.0);
#else
    let own_norm_slope = 0.0;
#end
    pair_scores[pair] = PairScore(
        dots, mapped.value, mapped.slope, mapped.norm_slope, inverse_sine, record.z, inputs.x, abs(inputs.y),
        inputs.zw, column_slope, own_norm_slope,
    );
    pair_terms[pair * TERMS] = vec4<f32>(mapped.value, mapped.row_constant, 0.0, 0.0);
#end
}
