//! The GPU path on whatever adapter there is; having none is a failure.
//!
//! One device serves all tests. Pipelines are what costs time, so the last check counts them.

mod agreement;
mod bad_input;
mod blocks;
mod case;
mod columns;
mod device;
mod extremes;
mod halves;
mod memory;
mod million_classes;
mod pipeline_cache;
mod ranks;
mod reading;
mod rejection;
mod same_bits;
mod stage_times;
mod stored;
mod strides;
mod tuning;

use libtest_mimic::{Arguments, Trial, run};
use std::process::ExitCode;

/// Most pipelines that all tests together may compile; and where workgroups are not of 8 invocations
/// by themselves, so that some tests compile others.
const MOST_PIPELINES: [usize; 2] = [600, 700];

macro_rules! trials {
    ($($module:ident: $($test:ident),* $(,)?;)*) => {
        vec![$($(Trial::test(
            concat!(stringify!($module), "::", stringify!($test)),
            || {
                $module::$test();
                Ok(())
            },
        )),*),*]
    };
}

fn main() -> ExitCode {
    let trials = trials![
        agreement: every_loss_on_every_problem, ragged_shapes, very_many_columns, lists_of_positives, repeated_rows,
            batch_scalars, half_precision_and_strides, a_small_scratch, without_subgroup_operations;
        blocks: ragged_shapes, wide_spans, kept_scores, other_tiles, other_losses, columns, same_bits;
        stored: lists_of_positives, wide_spans, second_tables, sampled_columns, sub_centres, halves;
        ranks: of_all_candidates, kth_largest_scores;
        halves: what_halves_hold_is_exact, what_halves_round_is_near, what_halves_cannot_hold_is_an_error,
            halves_take_half_and_refuse_by_name;
        columns: shared_columns, sampled_columns, excluded_columns, permuted_columns;
        rejection: a_wrong_loss_is_rejected;
        extremes: sharp_temperatures, parallel_and_opposite_vectors, zero_vectors,
            everything_masked, everything_ignored, dead_columns;
        same_bits: repeated_runs, narrow_loads, lowered_binding_limit, lowered_binding_limit_for_many_rows,
            lowered_binding_limit_for_sampled_columns,
            lowered_group_limit, encoded_in_parts, gradients_of_one_side, the_value_alone,
            checked_modules, accumulated_gradients, another_temperature;
        memory: a_plan_allocates_what_it_says, memory_does_not_grow_with_rows_times_columns,
            a_plan_beyond_the_limits_is_refused, any_sensible_limit_will_do;
        million_classes: a_step_holds_little_beyond_inputs_and_gradients;
        bad_input: ids_and_numbers_are_counted, ranges_are_checked_by_name,
            missing_ranges_are_named;
        reading: awaited_results_are_those_of_their_time, evaluations_overlap,
            a_bad_range_is_an_error, a_late_answer_is_an_error, a_lost_device_is_noticed_by_all,
            numbers_that_overflow_are_an_error;
        pipeline_cache: is_kept_between_devices_and_made_anew;
        tuning: the_table_says_what_is_run, families_are_pinned_by_name_or_plan;
        stage_times: of_every_stage, of_more_dispatches_than_a_query_set_holds,
            without_a_clock_are_an_error;
        strides: gradients_between_other_things, dense_gradients_end_where_they_end,
            bad_layouts_are_refused;
    ];
    let conclusion = run(&Arguments::from_args(), trials);
    let pipelines = device::pipelines();
    println!("{pipelines} pipelines");
    let most = MOST_PIPELINES[usize::from(device::context().family().lanes() != 8)];
    if pipelines > most {
        println!("more than {most} pipelines: tests on them take too long");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}
