//! The buffers that stages bind: the caller's, and the plan's own.

macro_rules! slots {
    (callers { $($callers:ident,)* } own { $($own:ident,)* }) => {
        /// A buffer. The plan's own are sized by [`super::sizes::Sizes::bytes_of`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(
            missing_docs,
            reason = "each is explained where a stage's WGSL binds it"
        )]
        pub enum Slot { $($callers,)* $($own),* }

        impl Slot {
            /// Whether the caller owns the buffer.
            #[must_use]
            pub fn is_callers(self) -> bool {
                matches!(self, $(Slot::$callers)|*)
            }

            /// The plan's own buffers.
            pub fn own() -> impl Iterator<Item = Slot> {
                [$(Slot::$own),*].into_iter()
            }
        }
    };
}

slots! {
    callers {
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
        RowParametersAfter,
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
    }

    own {
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
        GatheredParameters,
        // Ranks: scores to count above, counts, and 1 + those.
        RankCandidates,
        PairKeys,
        PairCounts,
        PairRanks,
        EntryKeys,
        EntryCounts,
        EntryRanks,
        KthLows,
        // Second moments in place of tiles.
        SquareMoments,
        WeightedMoments,
        MomentBlocks,
        QueryImages,
        RowWeights,
        CentreScores,
        BatchValues,
        BatchBlocks,
        BatchStatistics,
        // The mean score with other candidates, and θ that the batch renews.
        BatchNegatives,
        TableBlocks,
        TableSum,
        ThetaAfter,
        PairScores,
        PairTerms,
        PairResults,
        PairGradients,
        RowFactors,
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
        // Scores of sampled columns, where weights have taken the place of the others.
        SampledScores,
        SecondSampledScores,
        QuerySums,
        QueryBlocks,
        CandidateBlocks,
        CandidateSums,
        SecondQuerySums,
        SecondCandidateSums,
        // Bound where a variant reads or writes nothing.
        Nothing,
        NothingWritten,
    }
}
