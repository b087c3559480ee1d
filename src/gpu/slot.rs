//! The buffers that stages bind: the caller's, and the plan's own.

/// A buffer. The plan's own are sized by [`super::sizes::Sizes::bytes_of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(
    missing_docs,
    reason = "each is explained where a stage's WGSL binds it"
)]
pub enum Slot {
    // The caller's.
    QueryTable,
    CandidateTable,
    SecondQueryTable,
    SecondCandidateTable,
    PairWeights,
    Upstream,
    LogQ,
    ExcludeOffsets,
    ExcludeIds,
    RowParameters,
    ColumnParameters,
    EntryConstants,
    GradColumnParameters,
    GradSecondQueries,
    GradSecondCandidates,
    GivenPositives,
    GivenColumns,
    ReferencePositives,
    ReferenceColumns,
    GradPositiveScores,
    GradColumnScores,
    GradQueries,
    GradCandidates,
    // Copies of the caller's lists, so that they may share a buffer with the gradients.
    RowIds,
    PairOffsets,
    PositiveIds,
    ColumnIds,
    // Sorting.
    OrderA,
    OrderB,
    Histogram,
    RowLinks,
    PositiveLinks,
    ColumnLinks,
    GroupLinks,
    PairQueries,
    Heads,
    // Per pair and per row.
    PairRows,
    PairInputs,
    CentreScores,
    BatchValues,
    BatchBlocks,
    BatchStatistics,
    PairScores,
    PairTerms,
    PairResults,
    PairGradients,
    ThetaTerms,
    ThetaBlocks,
    RowCounts,
    Partials,
    // Results.
    GradTheta,
    Blocks,
    BatchScalars,
    Status,
    // Scratch.
    Queries,
    Positives,
    Candidates,
    Masks,
    WeightScratch,
    ColumnSlopes,
    SecondScores,
    QuerySums,
    CandidateSums,
    SecondQuerySums,
    SecondCandidateSums,
    // Bound where a variant reads or writes nothing.
    Nothing,
    NothingWritten,
}

impl Slot {
    /// Whether the caller owns the buffer.
    #[must_use]
    pub fn is_callers(self) -> bool {
        self <= Slot::GradCandidates
    }

    /// The plan's own buffers.
    pub fn own() -> impl Iterator<Item = Slot> {
        use Slot::*;
        [
            RowIds,
            PairOffsets,
            PositiveIds,
            ColumnIds,
            OrderA,
            OrderB,
            Histogram,
            RowLinks,
            PositiveLinks,
            ColumnLinks,
            GroupLinks,
            PairQueries,
            Heads,
            PairRows,
            PairInputs,
            CentreScores,
            BatchValues,
            BatchBlocks,
            BatchStatistics,
            PairScores,
            PairTerms,
            PairResults,
            PairGradients,
            ThetaTerms,
            ThetaBlocks,
            RowCounts,
            Partials,
            GradTheta,
            Blocks,
            BatchScalars,
            Status,
            Queries,
            Positives,
            Candidates,
            Masks,
            WeightScratch,
            ColumnSlopes,
            SecondScores,
            QuerySums,
            CandidateSums,
            SecondQuerySums,
            SecondCandidateSums,
            Nothing,
            NothingWritten,
        ]
        .into_iter()
    }
}
