//! The stages: one WGSL file, one entry point, one purpose each.

macro_rules! stages {
    ($($(#[doc = $doc:literal])* $variant:ident => $name:literal,)*) => {
        /// A stage. Its file is `shaders/stages/NAME.wgsl`; some have another of that name in
        /// `shaders/block`, for the block family.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Stage { $($(#[doc = $doc])* $variant),* }

        impl Stage {
            /// All stages.
            pub const ALL: &'static [Stage] = &[$(Stage::$variant),*];

            /// The name: of the file, in labels and errors.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Stage::$variant => $name),* }
            }

            /// The stage's own text, before composition.
            #[must_use]
            pub fn source(self) -> &'static str {
                match self {
                    $(Stage::$variant => include_str!(concat!("../../shaders/stages/", $name, ".wgsl"))),*
                }
            }
        }
    };
}

stages! {
    /// The order that sorting per-row sampled ids starts from.
    SampledOrder => "sampled_order",
    /// Stable sort of places by id: counts.
    RadixCount => "radix_count",
    /// Stable sort: where each digit begins.
    RadixScan => "radix_scan",
    /// Stable sort: moves places.
    RadixScatter => "radix_scatter",
    /// Chains of places with the same id.
    Occurrences => "occurrences",
    /// The same chains of a short list.
    ShortOccurrences => "short_occurrences",
    /// Numbers of queries → those of batch rows.
    RowParameters => "row_parameters",
    /// Row, weight and liveness of every pair.
    PairRows => "pair_rows",
    /// Query of every pair, for pooled targets.
    PairQueries => "pair_queries",
    /// Table rows → unit-length packed rows.
    Pack => "pack",
    /// Statistics over blocks of pairs, for losses whose target sees the batch.
    BatchBlocks => "batch_blocks",
    /// Blocks → statistics over the batch.
    BatchStatistics => "batch_statistics",
    /// Candidates summed over blocks.
    TableBlocks => "table_blocks",
    /// Blocks → the sum of all candidates.
    TableSum => "table_sum",
    /// Statistics over the batch → θ, where that is state.
    ThetaState => "theta_state",
    /// Scores whose ranks are wanted.
    RankKeys => "rank_keys",
    /// How many candidates score more.
    RankCount => "rank_count",
    /// The same from stored scores.
    StoredCount => "stored_count",
    /// Counts → ranks.
    RankValues => "rank_values",
    /// One digit of the search for K-th largest scores.
    KthStep => "kth_step",
    /// Score, angle and target of every pair.
    PositiveScores => "positive_scores",
    /// Classes of the pairs → the candidates that stand for them, where classes have several.
    PositiveCentres => "positive_centres",
    /// Bits of the sub-centres that do not stand for their class.
    CentreMasks => "centre_masks",
    /// The same from stored scores.
    StoredCentres => "stored_centres",
    /// Mask words before any column is masked.
    ClearMasks => "clear_masks",
    /// Bits of masked columns.
    Mask => "mask",
    /// Bits of masked slots of sampled columns.
    MaskSampled => "mask_sampled",
    /// Columns left per row.
    RowCounts => "row_counts",
    /// Scores of sampled columns into the scratch.
    SampledScores => "sampled_scores",
    /// Scores that the caller brings into the scratch.
    GivenScores => "given_scores",
    /// Weights → gradient of the given scores of columns.
    GivenGradients => "given_gradients",
    /// Gradient of the given scores of positives.
    GivenPositives => "given_positives",
    /// Score tile → row statistics.
    RowReduce => "row_reduce",
    /// Scores into the scratch, tile by tile.
    TileScores => "tile_scores",
    /// Stored scores → statistics of rows or pairs.
    StoredReduce => "stored_reduce",
    /// Second moments of blocks of rows.
    MomentBlocks => "moment_blocks",
    /// Blocks → second moments.
    MomentSum => "moment_sum",
    /// Rows times second moments.
    MomentImages => "moment_images",
    /// Second moments → row statistics.
    MomentRows => "moment_rows",
    /// What rows weigh in gradients from second moments.
    MomentWeights => "moment_weights",
    /// Second moments → `G_q`.
    MomentQueries => "moment_queries",
    /// Masked columns out of `G_c` from second moments.
    MomentCandidates => "moment_candidates",
    /// Pooled targets.
    PoolTargets => "pool_targets",
    /// Row statistics → losses and slopes.
    RowFinish => "row_finish",
    /// Row parameters after the evaluation.
    RowState => "row_state",
    /// Losses summed over blocks.
    LossBlocks => "loss_blocks",
    /// Blocks → value.
    LossSum => "loss_sum",
    /// ∂value/∂R, ∂value/∂t of every pair.
    PairGradients => "pair_gradients",
    /// What tiles of weights need of a row.
    RowFactors => "row_factors",
    /// Gradient of pooled targets to the pairs.
    PoolBackward => "pool_backward",
    /// θ gradient summed over blocks.
    ThetaBlocks => "theta_blocks",
    /// Blocks → θ gradient.
    ThetaSum => "theta_sum",
    /// Zeros in a gradient whose rows lie apart.
    ClearGradient => "clear_gradient",
    /// Score tile → weights in the scratch.
    Weights => "weights",
    /// Stored scores → weights in their place.
    StoredWeights => "stored_weights",
    /// `G_q` += W·C.
    GradQueries => "grad_queries",
    /// Blocks of W·C → `G_q`.
    QueryBlocks => "query_blocks",
    /// `G_c` = Wᵀ·Q.
    GradCandidates => "grad_candidates",
    /// Blocks of Wᵀ·Q → `G_c`.
    CandidateBlocks => "candidate_blocks",
    /// Slopes by column parameters, summed over rows.
    ColumnSums => "column_sums",
    /// The same for sampled columns.
    SampledColumnSums => "sampled_column_sums",
    /// The positives' term in the gradient of column parameters.
    PositiveColumns => "positive_columns",
    /// The positives' term in `G_q`.
    PositiveQueries => "positive_queries",
    /// The positives' term in the candidate gradients.
    PositiveCandidates => "positive_candidates",
    /// `G_q` → query gradients.
    NormQueries => "norm_queries",
    /// `G_c` → candidate gradients.
    NormCandidates => "norm_candidates",
    /// Sampled columns: `G_q`.
    SampledQueries => "sampled_queries",
    /// Sampled columns: candidate gradients.
    SampledCandidates => "sampled_candidates",
    /// The trainer's optimiser: gradients → parameters.
    Adam => "adam",
    /// The trainer's plain optimiser.
    Sgd => "sgd",
    /// The trainer's optimisers on the loss's scalars θ, and the loss's bounds.
    ThetaStep => "theta_step",
}

impl Stage {
    /// The stage's own text in the block family, where that has one.
    #[must_use]
    pub fn block_source(self) -> Option<&'static str> {
        match self {
            Stage::RowReduce => Some(include_str!("../../shaders/block/row_reduce.wgsl")),
            Stage::Weights => Some(include_str!("../../shaders/block/weights.wgsl")),
            Stage::GradQueries => Some(include_str!("../../shaders/block/grad_queries.wgsl")),
            Stage::GradCandidates => Some(include_str!("../../shaders/block/grad_candidates.wgsl")),
            _ => None,
        }
    }

    /// Whether the text holds the loss's functions.
    #[must_use]
    pub fn has_loss(self) -> bool {
        self.source().contains("#import loss\n")
    }

    /// Whether the text holds the score tile.
    #[must_use]
    pub fn has_tile(self) -> bool {
        matches!(
            self,
            Stage::RowReduce | Stage::Weights | Stage::CentreMasks | Stage::RankCount
        )
    }
}
