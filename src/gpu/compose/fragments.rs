//! The fragments' texts, and those that stand for functions that a loss leaves out.

macro_rules! fragments {
    ($($name:literal),* $(,)?) => {
        /// The shared fragments by name.
        pub const FRAGMENTS: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../shaders/shared/", $name, ".wgsl")))),*
        ];
    };
}

fragments!(
    "angular_margin",
    "batch_block",
    "batch_scalars",
    "best_centre",
    "block_columns",
    "block_entries",
    "block_masks",
    "block_order",
    "block_product",
    "block_scores",
    "block_slab",
    "column_records",
    "given_geometry",
    "job",
    "kept_tile",
    "lane_queries",
    "lane_weights",
    "loss_batch_value",
    "loss_pair_column",
    "loss_pair_second",
    "loss_row_second",
    "loss_row_state",
    "loss_target",
    "loss_target_column",
    "loss_theta_bounds",
    "loss_types",
    "mask_bits",
    "mask_words",
    "math",
    "packed_dot",
    "packed_reads",
    "packed_row",
    "packed_writes",
    "pair_records",
    "positive_geometry",
    "positive_term",
    "radix",
    "reduce_entries",
    "reduce_pairs",
    "reduce_row",
    "reduce_second",
    "reference_score",
    "sampled_places",
    "score_rows",
    "score_tile",
    "status",
    "store_weights",
    "stored_tile",
    "table_rows",
    "team_merge",
    "team_statistic",
    "teams",
    "tile_masks",
    "vec4_tables",
    "weigh_entries",
    "weigh_row",
    "weigh_rows",
    "weigh_tile",
    "wide_loads",
);

/// Functions that a loss may leave out, the fragments that have them then, and the flag under which
/// they are called.
pub(super) const DEFAULTS: [(&str, &str, Option<&str>); 8] = [
    ("fn loss_target(", "loss_target", None),
    (
        "fn loss_target_column(",
        "loss_target_column",
        Some("COLUMNS"),
    ),
    (
        "fn loss_batch_value(",
        "loss_batch_value",
        Some("BATCH_VALUES"),
    ),
    (
        "fn loss_pair_column(",
        "loss_pair_column",
        Some("COLUMN_SLOPES"),
    ),
    (
        "fn loss_pair_second(",
        "loss_pair_second",
        Some("SECOND_SLOPES"),
    ),
    ("fn loss_row_second(", "loss_row_second", Some("SECOND")),
    ("fn loss_row_state(", "loss_row_state", Some("STATE")),
    (
        "fn loss_theta_bounds(",
        "loss_theta_bounds",
        Some("THETA_STEP"),
    ),
];
