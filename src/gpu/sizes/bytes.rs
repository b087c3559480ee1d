//! Bytes of a plan's own buffers.

use super::{MOMENT_BLOCK, ROW_BLOCK, SUM_BLOCK, Sizes, TABLE_BLOCK};
use crate::gpu::Slot;
use crate::{ColumnKind, loss::Pool, shape::MAX_THETA};

impl Sizes {
    /// Bytes of a plan's own buffer; 0 if the plan does not need it.
    #[must_use]
    pub fn bytes_of(&self, slot: Slot, gradients: bool) -> u64 {
        let (p, vec4, quad) = (self.pairs, 16, self.storage.quad_bytes());
        let grad = |bytes: u64| if gradients { bytes } else { 0 };
        let indexed = |bytes: u64| if self.shape.indexed_rows { bytes } else { 0 };
        let listed = match self.shape.columns {
            _ if self.shape.given.is_some() => 0,
            ColumnKind::All => 0,
            ColumnKind::Shared(n) => n as u64,
            ColumnKind::Sampled(n) => n as u64 * self.rows,
        };
        let sorted = [indexed(self.rows), grad(p), listed, self.pooled(p)]
            .into_iter()
            .max()
            .unwrap_or(0);
        let thetas = self.spec.learnt() as u64;
        let width = if self.sampled { self.row_part } else { 1 };
        let packed = [
            Slot::Queries,
            Slot::Positives,
            Slot::Candidates,
            Slot::QuerySums,
        ];
        if self.shape.given.is_some() && packed.contains(&slot) {
            return 0;
        }
        match slot {
            Slot::RowIds => indexed(self.rows * 4),
            Slot::PairOffsets => (self.rows + 1) * 4,
            Slot::PositiveIds | Slot::PairRows => p * 4,
            Slot::ColumnIds => listed * 4,
            Slot::ColumnLinks => listed * 8,
            Slot::OrderA | Slot::OrderB => sorted * 4,
            Slot::Histogram => Self::segments(sorted) * 64,
            Slot::RowLinks => indexed(self.rows * 8),
            Slot::PositiveLinks => grad(p * 8),
            Slot::GroupLinks => self.pooled(p * 8),
            Slot::PairQueries => self.pooled(p * 4),
            Slot::Heads => match self.shape.columns {
                ColumnKind::Shared(_) => self.shape.candidates as u64 * 4,
                _ => 0,
            },
            Slot::PairInputs => p * 16,
            Slot::GatheredParameters if self.shape.parameters_by_query => {
                indexed(self.rows * self.shape.row_parameters as u64 * 4)
            }
            Slot::CentreScores if self.shape.columns_per_class > 1 => p * 8,
            Slot::BatchValues => self.batch_statistics(p * 4),
            Slot::BatchBlocks => self.batch_statistics(p.div_ceil(SUM_BLOCK) * 24),
            Slot::BatchStatistics => self.batch_statistics(32),
            Slot::BatchNegatives if self.spec.negative_mean => p * 4,
            Slot::TableSum if self.spec.negative_mean => self.dim4 * vec4,
            Slot::TableBlocks if self.spec.negative_mean => {
                self.column_chunk.div_ceil(TABLE_BLOCK) * self.dim4 * vec4
            }
            Slot::ThetaAfter if self.spec.theta_state => MAX_THETA as u64 * 4,
            Slot::RankCandidates if self.spec.ranks => self.rank_chunk * self.stride * quad,
            Slot::PairKeys | Slot::PairCounts | Slot::PairRanks if self.spec.ranks => p * 4,
            Slot::EntryKeys | Slot::EntryCounts | Slot::EntryRanks if self.spec.ranks => listed * 4,
            Slot::EntryKeys | Slot::EntryCounts => self.rows * self.keys * 4,
            Slot::KthLows if self.keys > 0 => self.rows * 4,
            Slot::SquareMoments if self.moments => self.squares(),
            Slot::WeightedMoments if self.moments => grad(self.squares()),
            Slot::MomentBlocks if self.moments => {
                let rows = (self.column_chunk.max(self.row_part)).div_ceil(MOMENT_BLOCK);
                rows.min(self.moment_blocks) * self.squares()
            }
            Slot::QueryImages if self.moments => self.row_part * self.dim4 * vec4,
            Slot::RowWeights if self.moments => grad(self.rows * 4),
            Slot::PairScores => p * 48,
            Slot::PairResults => p * 32,
            Slot::PairTerms => p * vec4 * self.terms(),
            Slot::PairGradients => p * 4,
            Slot::RowFactors if self.budget.candidate_blocks > 0 && !self.stored => {
                grad(self.row_total * vec4)
            }
            Slot::ThetaTerms => p * thetas * 4,
            Slot::ThetaBlocks => p.div_ceil(SUM_BLOCK) * thetas * 4,
            Slot::RowCounts => self.rows * 4,
            Slot::Partials => self.units * self.spans * self.statistic * 4,
            Slot::GradTheta => thetas * 4,
            Slot::Blocks => p.div_ceil(SUM_BLOCK).max(1) * 20,
            Slot::BatchScalars => 16,
            Slot::Status => 32,
            Slot::Queries => self.row_part * (self.stride + self.second_stride) * quad,
            Slot::Positives if self.spec.second.is_some_and(|tile| tile.frozen) => {
                self.pair_chunk * (self.stride + self.second_stride) * quad
            }
            Slot::Positives => self.pair_chunk * self.stride * quad,
            Slot::Candidates => {
                width * self.column_chunk * (self.stride + self.second_stride) * quad
            }
            Slot::Masks => self.row_part * self.column_chunk / 8,
            Slot::ColumnSlopes if self.spec.column_parameters => {
                grad(self.row_part * self.weight_chunk * 4)
            }
            Slot::WeightScratch if self.sampled || self.stores_scores() => {
                self.row_part * self.weight_chunk * 4
            }
            Slot::WeightScratch if self.moments => 0,
            Slot::WeightScratch => grad(self.row_part * self.weight_chunk * 4),
            Slot::SecondScores if self.second_dim4 > 0 => {
                let bytes = self.row_part * self.weight_chunk * 4;
                match self.sampled || self.stored {
                    true => bytes,
                    false => grad(bytes),
                }
            }
            Slot::SampledScores if self.sampled => self.row_part * self.weight_chunk * 4,
            Slot::SecondSampledScores if self.sampled && self.second_dim4 > 0 => {
                self.row_part * self.weight_chunk * 4
            }
            Slot::SecondQuerySums => grad(self.row_part * self.second_dim4 * vec4),
            Slot::SecondCandidateSums if !self.sampled => {
                grad(self.weight_chunk * self.second_dim4 * vec4)
            }
            Slot::QueryBlocks if !self.moments => {
                let widest = self.dim4.max(self.second_dim4);
                grad(self.query_blocks * self.row_part * widest * vec4)
            }
            // A single block is the sum.
            Slot::CandidateBlocks if self.moments => 0,
            Slot::CandidateBlocks
                if self.row_part > ROW_BLOCK || self.row_part < self.row_chunk =>
            {
                let widest = self.dim4.max(self.second_dim4);
                grad(self.candidate_blocks * self.weight_chunk * widest * vec4)
            }
            Slot::QuerySums => grad(self.row_part * self.dim4 * vec4),
            Slot::CandidateSums if !self.sampled => grad(self.weight_chunk * self.dim4 * vec4),
            Slot::Nothing | Slot::NothingWritten => 256,
            _ => 0,
        }
    }

    /// Bytes of D × D numbers.
    fn squares(&self) -> u64 {
        self.dim4 * self.dim4 * 64
    }

    /// Vec4 per pair that the tile stages read: two where the second tile has slopes.
    #[must_use]
    pub fn terms(&self) -> u64 {
        if self.second_dim4 > 0 { 2 } else { 1 }
    }

    fn batch_statistics(&self, bytes: u64) -> u64 {
        if self.spec.batch_statistics { bytes } else { 0 }
    }

    fn pooled(&self, bytes: u64) -> u64 {
        if self.spec.pool == Pool::Each {
            0
        } else {
            bytes
        }
    }
}
