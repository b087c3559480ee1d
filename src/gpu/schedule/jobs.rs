//! The numbers of dispatches: of the whole batch, of some rows, of some rows and columns.

use super::{Schedule, u};
use crate::gpu::{
    job::{self, Job, flag},
    sizes::COLUMN_UNIT,
};
use crate::{
    ColumnKind, ReductionKind,
    loss::{Outer, Pool, Score, TargetForm},
};

impl Schedule<'_> {
    pub(super) fn base(&self) -> Job {
        let s = self.sizes;
        Job {
            rows: u(s.rows),
            pairs: u(s.pairs),
            columns: u(s.columns),
            span_width: u(s.span_width),
            spans: u(s.spans),
            dim: u(self.shape.dim as u64),
            dim4: u(s.dim4),
            packed_stride: u(s.stride),
            table_rows: u(self.shape.candidates as u64),
            second_dim4: u(s.second_dim4),
            second_stride: u(s.second_stride),
            row_total: u(s.row_total),
            thetas: u(self.spec.learnt() as u64),
            row_parameters: u(self.shape.row_parameters as u64),
            per_class: u(self.shape.columns_per_class as u64),
            query_rows: u(self.shape.queries as u64),
            per_row: match self.shape.columns {
                ColumnKind::Sampled(per_row) => u(per_row as u64),
                _ => 0,
            },
            flags: flag(job::COSINE, self.spec.score.unit_candidates())
                | flag(job::PROJECTION, self.spec.score == Score::Projection)
                | flag(job::LOG_Q, self.shape.log_q)
                | flag(job::COLUMN_PARAMETERS, self.shape.column_parameters)
                | flag(
                    job::ENTRY_CONSTANTS,
                    self.shape.entry_constants || self.spec.ranks,
                )
                | flag(job::REFERENCE, self.shape.given == Some(true))
                | flag(job::COMPACT, self.want.compact)
                | flag(job::ABSENT_ROWS, self.spec.absent_positives)
                | flag(job::TANGENT, self.spec.target == TargetForm::Tangent)
                | self.pool_flags()
                | flag(job::EMPTY_ROWS, self.spec.empty_rows)
                | flag(job::LOG_MEAN, self.spec.outer == Outer::LogMeanExp)
                | flag(job::MEAN, self.shape.reduction == ReductionKind::Mean),
            ..Job::default()
        }
    }

    fn pool_flags(&self) -> u32 {
        match self.spec.pool {
            Pool::Each => 0,
            Pool::Query { per_group, sum } => {
                flag(job::PER_GROUP, per_group) | flag(job::POOL_SUM, sum)
            }
        }
    }

    pub(super) fn row_pad(&self, count: u64) -> u64 {
        let unit = self.family.row_unit(self.sizes.sampled());
        count.div_ceil(unit) * unit
    }

    pub(super) fn row_job(&self, (begin, count): (u64, u64)) -> Job {
        let row_pad = self.row_pad(count);
        Job {
            row_begin: u(begin),
            row_count: u(count),
            row_pad: u(row_pad),
            second_queries: u(row_pad * self.sizes.stride),
            ..self.base()
        }
    }

    pub(super) fn column_job(&self, rows: (u64, u64), (begin, count): (u64, u64)) -> Job {
        let pad = count.div_ceil(COLUMN_UNIT) * COLUMN_UNIT;
        let job = self.row_job(rows);
        let width = if self.sizes.sampled() {
            u64::from(job.row_pad)
        } else {
            1
        };
        Job {
            column_begin: u(begin),
            column_count: u(count),
            column_pad: u(pad),
            weight_count: u(count),
            weight_pad: u(pad),
            second_candidates: u(width * pad * self.sizes.stride),
            ..job
        }
    }
}
