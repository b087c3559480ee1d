//! From the value to the gradients.

use super::{Bind, Schedule, products::Tables, u};
use crate::gpu::{
    Slot, Stage,
    job::{self, Job, flag},
    sizes::{COLUMN_UNIT, Piece, SUM_BLOCK, Sizes},
};
use crate::{Result, Want, loss::Pool};

impl Schedule<'_> {
    pub(super) fn pair_gradients(&mut self) {
        let job = self.base();
        let pairs = self.sizes.pairs;
        let binds = [
            Slot::BatchScalars.into(),
            Slot::PairScores.into(),
            Slot::PairResults.into(),
            Slot::PairTerms.into(),
            Slot::PairGradients.into(),
            self.theta_terms().into(),
        ];
        self.push_items(Stage::PairGradients, &[], &binds, job, pairs);
        if self.spec.pool != Pool::Each && self.want != Want::NOTHING {
            let binds = [
                Slot::PairResults.into(),
                Slot::GroupLinks.into(),
                Slot::PairGradients.into(),
            ];
            self.push_items(Stage::PoolBackward, &[], &binds, job, pairs);
        }
        if self.block_of(Stage::Weights, job).is_some() && !self.sizes.moments {
            let binds = [Slot::PairOffsets, Slot::PairTerms, Slot::RowFactors].map(Bind::from);
            self.push_items(Stage::RowFactors, &[], &binds, job, self.sizes.row_total);
        }
        if self.spec.learnt() > 0 {
            let thetas = self.spec.learnt() as u64;
            let binds = [Slot::ThetaTerms.into(), Slot::ThetaBlocks.into()];
            self.push_items(
                Stage::ThetaBlocks,
                &[],
                &binds,
                job,
                pairs.div_ceil(SUM_BLOCK) * thetas,
            );
            let binds = [Slot::ThetaBlocks.into(), Slot::GradTheta.into()];
            self.push_items(Stage::ThetaSum, &[], &binds, job, thetas);
        }
    }

    /// Zeros in gradients whose rows lie apart; dense ones are cleared by a command.
    pub(super) fn clear_gradients(&mut self) -> Result<()> {
        for slot in [Slot::GradQueries, Slot::GradCandidates] {
            let dense = self.layouts.of(slot).stride == self.shape.dim;
            if dense || self.accumulate || !self.want.wants(slot) {
                continue;
            }
            for piece in self.grad_pieces(slot)? {
                let job = at_piece(self, self.base(), slot, piece);
                let binds = [bound(slot, piece)];
                let items = piece.count * self.shape.dim as u64;
                self.push_items(Stage::ClearGradient, &[], &binds, job, items);
            }
        }
        Ok(())
    }

    /// Everything of a chunk of rows but the positives' term in the candidate gradients.
    pub(super) fn backward(&mut self, rows: (u64, u64)) -> Result<()> {
        let parts = self.parts_of(rows);
        if self.sizes.moments {
            return self.moments_backward(&parts);
        }
        let together = parts.len() == 1 || self.sizes.sampled();
        let candidates = self.want.candidates || self.want.second;
        let others = Want {
            candidates: false,
            ..self.want
        };
        if together || others != Want::NOTHING {
            for part in &parts {
                self.backward_part(*part, together)?;
            }
        }
        if !together && candidates {
            self.candidates_of_parts(&parts)?;
        }
        Ok(())
    }

    /// All that a part of the rows gives; candidates only if no other part has to come between.
    fn backward_part(&mut self, rows: (u64, u64), candidates: bool) -> Result<()> {
        let (want, parts) = (self.want, self.row_parts().len());
        if parts > 1 {
            self.pack_queries(rows, false)?;
        }
        let column_chunks = self.column_chunks();
        for columns in &column_chunks {
            let job = self.column_job(rows, *columns);
            if column_chunks.len() > 1 || (parts > 1 && self.sizes.sampled()) {
                self.pack_columns(rows, *columns, false)?;
                if self.sizes.sampled() {
                    self.sampled_scores(job);
                }
            } else if parts > 1 {
                self.mask(job);
            }
            for weights in self.weight_chunks(*columns) {
                let job = weight_job(job, weights);
                self.weights(job, want);
                if want.column_parameters {
                    self.column_sums(job);
                }
                self.products(job, candidates)?;
            }
        }
        if want.queries {
            self.positive_queries(rows)?;
            self.norm_queries(rows, Tables::First)?;
        }
        if want.second {
            self.norm_queries(rows, Tables::Second)?;
        }
        Ok(())
    }

    /// What the weights in the scratch are multiplied with.
    fn products(&mut self, job: Job, candidates: bool) -> Result<()> {
        if self.want.scores {
            let binds = [Slot::WeightScratch, Slot::GradColumnScores].map(Bind::from);
            let items = u64::from(job.row_count) * u64::from(job.column_count);
            self.push_items(Stage::GivenGradients, &[], &binds, job, items);
        }
        let want = self.want;
        for (tables, queries, candidates) in [
            (Tables::First, want.queries, want.candidates && candidates),
            (Tables::Second, want.second, want.second && candidates),
        ] {
            match (self.sizes.sampled(), queries) {
                (true, true) => self.sampled_queries(job, tables),
                (false, true) => self.grad_queries(job, tables),
                _ => {}
            }
            match (self.sizes.sampled(), candidates) {
                (true, true) => self.sampled_candidates(job, tables)?,
                (false, true) => {
                    self.grad_candidates(job, tables);
                    self.norm_candidates(job, tables)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The candidates' sums of a chunk of rows that is too large for one binding: columns by columns,
    /// over all parts of the rows, so that parts do not show in the bits.
    fn candidates_of_parts(&mut self, parts: &[(u64, u64)]) -> Result<()> {
        let want = Want {
            candidates: self.want.candidates,
            second: self.want.second,
            ..Want::NOTHING
        };
        let sides = [
            (Tables::First, want.candidates),
            (Tables::Second, want.second),
        ];
        let sides = sides.into_iter().filter(|side| side.1).map(|side| side.0);
        let sides: Vec<Tables> = sides.collect();
        for columns in self.column_chunks() {
            self.pack_columns(parts[0], columns, false)?;
            for weights in self.weight_chunks(columns) {
                for (nth, part) in parts.iter().enumerate() {
                    self.pack_queries(*part, false)?;
                    let job = self.column_job(*part, columns);
                    self.mask(job);
                    let job = weight_job(job, weights);
                    self.weights(job, want);
                    let job = Job {
                        flags: job.flags | flag(job::CONTINUED, nth > 0),
                        ..job
                    };
                    for tables in &sides {
                        self.grad_candidates(job, *tables);
                    }
                }
                let job = weight_job(self.column_job(parts[0], columns), weights);
                for tables in &sides {
                    self.norm_candidates(job, *tables)?;
                }
            }
        }
        Ok(())
    }

    /// Ranges of a chunk's columns whose weights are held at a time, from its first column on.
    pub(super) fn weight_chunks(&self, columns: (u64, u64)) -> Vec<(u64, u64)> {
        Sizes::chunks(columns.1, self.sizes.weight_chunk).collect()
    }

    /// Flags and bindings of the slopes that are wanted beside the weights'.
    pub(super) fn slopes(&self, want: Want, flags: &mut Vec<&'static str>, binds: &mut Vec<Bind>) {
        if want.second || want.column_parameters {
            flags.push("UNSCALED");
        }
        if want.second {
            flags.push("SECOND_SLOPES");
        }
        if want.column_parameters {
            flags.push("COLUMN_SLOPES");
            binds.push(Slot::ColumnSlopes.into());
        }
    }

    fn weights(&mut self, job: Job, want: Want) {
        if let Some(tile) = self.stored_scores_tile() {
            return self.stored_weights(job, want, tile);
        }
        let block = self.block_of(Stage::Weights, job);
        let rows = match block {
            Some(_) => vec![Slot::RowFactors],
            None => vec![Slot::PairOffsets, Slot::PairTerms],
        };
        let tables = [Slot::Queries, Slot::Candidates, Slot::Masks].into_iter();
        let binds = tables.chain(rows).chain([Slot::WeightScratch]);
        let mut binds: Vec<Bind> = binds.map(Bind::from).collect();
        let sampled = self.sizes.sampled();
        if (sampled && self.spec.second.is_some()) || want.second {
            binds.push(Slot::SecondScores.into());
        }
        let kept = self.sizes.kept();
        let flops = if sampled || kept {
            0
        } else {
            self.flops(u64::from(job.row_count), u64::from(job.weight_count))
        };
        let mut flags = self.tile_flags();
        if kept {
            flags.push("STORED");
        }
        self.slopes(want, &mut flags, &mut binds);
        if let Some(block) = block {
            let across = u64::from(job.weight_pad.div_ceil(block.columns()));
            let groups = u64::from(job.row_pad / block.rows()) * across;
            return self.push_block(Stage::Weights, (&flags, &binds), job, block, groups, flops);
        }
        let tile = match kept {
            true => Sizes::stored_tile(),
            false => self.sizes.loss_tile(self.family.lanes()),
        };
        let across = self.tile_rows(job, tile);
        let width = Sizes::weight_span(&job, across, self.family.lanes());
        let groups = across * u64::from(job.weight_pad).div_ceil(width);
        let job = Job {
            span_width: u(width),
            ..job
        };
        self.push_tiles(Stage::Weights, &flags, &binds, job, groups, flops);
    }
}

/// A job on a piece of a gradient.
pub(super) fn at_piece(schedule: &Schedule<'_>, job: Job, slot: Slot, piece: Piece) -> Job {
    Job {
        table_begin: u(piece.begin),
        table_count: u(piece.count),
        table_stride: u(schedule.layouts.of(slot).stride as u64),
        ..job
    }
}

/// A piece of a gradient.
pub(super) fn bound(slot: Slot, piece: Piece) -> Bind {
    Bind {
        slot,
        piece: Some(piece),
    }
}

/// A job on some of the chunk's columns.
pub(super) fn weight_job(job: Job, (begin, count): (u64, u64)) -> Job {
    let first = job.column_begin == 0 && begin == 0;
    Job {
        weight_begin: u(begin),
        weight_count: u(count),
        weight_pad: u(count.div_ceil(COLUMN_UNIT) * COLUMN_UNIT),
        flags: job.flags | flag(job::FIRST, first),
        ..job
    }
}
