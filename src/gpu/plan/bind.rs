//! A plan's bind groups: which range of which buffer, with its size checked.

use super::{List, PARAMETER_BYTES, Plan};
use crate::gpu::{
    Buffers, Pipeline, Slice, Slot, job::JOB_STRIDE, schedule::Dispatch, sizes::Piece,
};
use crate::{Error, Result};
use std::sync::Arc;

impl Plan {
    /// The caller's lists and θ: name, range, own buffer that they are copied to (none for θ, which
    /// goes into the parameters), and words, 0 where the shape has no such list.
    pub(super) fn lists<'a>(&self, buffers: &'a Buffers) -> [List<'a>; 5] {
        let shape = &self.shape;
        let given = |on: bool, words: usize| if on { words } else { 0 };
        let columns = match shape.columns {
            _ if shape.given.is_some() => 0,
            crate::ColumnKind::All => 0,
            crate::ColumnKind::Shared(n) => n,
            crate::ColumnKind::Sampled(n) => n * shape.rows,
        };
        let own = |slot: Slot| Some(slot);
        let rows = given(shape.indexed_rows, shape.rows);
        let offsets = given(shape.many_positives, shape.rows + 1);
        [
            (
                "positives",
                &buffers.positives,
                own(Slot::PositiveIds),
                given(shape.given.is_none() && self.sizes.keys == 0, shape.pairs),
            ),
            ("rows", &buffers.rows, own(Slot::RowIds), rows),
            (
                "positive offsets",
                &buffers.positive_offsets,
                own(Slot::PairOffsets),
                offsets,
            ),
            ("columns", &buffers.columns, own(Slot::ColumnIds), columns),
            ("theta", &buffers.theta, None, shape.thetas),
        ]
    }

    /// Checks what is copied: nothing behind this names the argument.
    pub(super) fn check_copied(&self, buffers: &Buffers) -> Result<()> {
        for (name, slice, _, words) in self.lists(buffers) {
            if words > 0 {
                check_range(name, slice.as_ref(), words as u64 * 4, 4)?;
            }
        }
        if buffers.value.is_some() {
            check_range("value", buffers.value.as_ref(), 4, 4)?;
        }
        if buffers.grad_theta.is_some() {
            let bytes = self.learnt() as u64 * 4;
            check_range("grad_theta", buffers.grad_theta.as_ref(), bytes, 4)?;
        }
        if buffers.theta_after.is_some() {
            let bytes = self.shape.thetas as u64 * 4;
            check_range("theta_after", buffers.theta_after.as_ref(), bytes, 4)?;
        }
        Ok(())
    }

    /// The bind groups for these buffers; kept until other buffers come.
    pub(super) fn bind(&self, buffers: &Buffers) -> Result<Arc<Vec<wgpu::BindGroup>>> {
        let mut bound = self
            .bound
            .lock()
            .map_err(|_| Error::Gpu("bind groups of a plan".into()))?;
        if let Some((known, groups)) = &*bound
            && known == buffers
        {
            return Ok(Arc::clone(groups));
        }
        self.check_copied(buffers)?;
        let groups = self
            .dispatches
            .iter()
            .zip(&self.pipelines)
            .map(|(dispatch, pipeline)| self.bind_group(dispatch, pipeline, buffers))
            .collect::<Result<Vec<_>>>()?;
        let groups = Arc::new(groups);
        *bound = Some((buffers.clone(), Arc::clone(&groups)));
        Ok(groups)
    }

    pub(super) fn bind_group(
        &self,
        dispatch: &Dispatch,
        pipeline: &Pipeline,
        buffers: &Buffers,
    ) -> Result<wgpu::BindGroup> {
        let ranges = dispatch
            .binds
            .iter()
            .map(|bind| match bind.slot.is_callers() {
                true => self.callers(buffers, bind.slot, bind.piece),
                false => Ok((self.own[&bind.slot].clone(), 0, None)),
            })
            .collect::<Result<Vec<_>>>()?;
        let binding = |buffer, offset, size: Option<u64>| {
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer,
                offset,
                size: size.and_then(wgpu::BufferSize::new),
            })
        };
        let mut entries = vec![
            wgpu::BindGroupEntry {
                binding: 0,
                resource: binding(&self.jobs, 0, Some(JOB_STRIDE as u64)),
            },
            wgpu::BindGroupEntry {
                binding: 1,
                resource: binding(&self.parameters, 0, Some(PARAMETER_BYTES)),
            },
        ];
        for (at, (buffer, offset, size)) in ranges.iter().enumerate() {
            entries.push(wgpu::BindGroupEntry {
                binding: u32::try_from(at + 2).unwrap_or(u32::MAX),
                resource: binding(buffer, *offset, *size),
            });
        }
        Ok(self
            .context
            .device
            .create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(dispatch.stage.name()),
                layout: &pipeline.layout,
                entries: &entries,
            }))
    }

    /// A caller's range, or a piece of it, with its size checked.
    pub(super) fn callers(
        &self,
        buffers: &Buffers,
        slot: Slot,
        piece: Option<Piece>,
    ) -> Result<(wgpu::Buffer, u64, Option<u64>)> {
        let (name, slice, needed) = self.named(buffers, slot);
        let alignment = u64::from(
            self.context
                .device
                .limits()
                .min_storage_buffer_offset_alignment,
        );
        let slice = check_range(name, slice, needed, alignment)?;
        let (begin, end) = match piece {
            None => (0, needed),
            Some(piece) => {
                let layout = self.layouts.of(slot);
                let row = layout.stride as u64 * if layout.half { 2 } else { 4 };
                (
                    piece.begin * row,
                    ((piece.begin + piece.count) * row).min(needed),
                )
            }
        };
        let size = (end - begin).next_multiple_of(4).max(4);
        Ok((slice.buffer.clone(), slice.offset + begin, Some(size)))
    }

    /// Name, range and needed bytes of a caller's slot.
    pub(super) fn named<'a>(
        &self,
        buffers: &'a Buffers,
        slot: Slot,
    ) -> (&'static str, Option<&'a Slice>, u64) {
        let shape = &self.shape;
        let table = |rows: usize, dim: usize| {
            let layout = self.layouts.of(slot);
            let elements = ((rows - 1) * layout.stride + dim) as u64;
            if layout.half {
                (elements * 2).next_multiple_of(4)
            } else {
                elements * 4
            }
        };
        let (u, n, d) = (shape.queries, shape.candidates, shape.dim);
        let second = shape.second_dim.unwrap_or(1);
        let [rows, second_rows] = self.options.want.candidate_rows(shape);
        let lists = if shape.exclude_by_query {
            u
        } else {
            shape.rows
        };
        let words = |count: usize| count as u64 * 4;
        let parameters = words(shape.parameters());
        match slot {
            Slot::QueryTable => ("queries", buffers.queries.as_ref(), table(u, d)),
            Slot::CandidateTable => ("candidates", buffers.candidates.as_ref(), table(n, d)),
            Slot::SecondQueryTable => (
                "adv_queries",
                buffers.second.as_ref().map(|s| &s.0),
                table(u, second),
            ),
            Slot::SecondCandidateTable => (
                "adv_candidates",
                buffers.second.as_ref().map(|s| &s.1),
                table(n, second),
            ),
            Slot::PairWeights => ("weights", buffers.weights.as_ref(), words(shape.pairs)),
            Slot::Upstream => ("upstream", buffers.upstream.as_ref(), words(shape.pairs)),
            Slot::LogQ => ("log_q", buffers.log_q.as_ref(), words(n)),
            Slot::RowParameters => (
                "row_parameters",
                buffers.row_parameters.as_ref(),
                parameters,
            ),
            Slot::RowParametersAfter => (
                "row_parameters_after",
                buffers.row_parameters_after.as_ref(),
                parameters,
            ),
            Slot::ColumnParameters => (
                "column_parameters",
                buffers.column_parameters.as_ref(),
                words(n),
            ),
            Slot::EntryConstants => (
                "entry_constants",
                buffers.entry_constants.as_ref(),
                words(shape.rows * shape.columns()),
            ),
            Slot::GradColumnParameters => (
                "grad_column_parameters",
                buffers.grad_column_parameters.as_ref(),
                words(n),
            ),
            Slot::GradSecondQueries => (
                "grad_second_queries",
                buffers.grad_second_queries.as_ref(),
                table(u, second),
            ),
            Slot::GradSecondCandidates => (
                "grad_second_candidates",
                buffers.grad_second_candidates.as_ref(),
                table(second_rows, second),
            ),
            Slot::GivenPositives => (
                "positive_scores",
                buffers.positive_scores.as_ref(),
                words(shape.pairs),
            ),
            Slot::GivenColumns => (
                "column_scores",
                buffers.column_scores.as_ref(),
                words(shape.rows * shape.columns()),
            ),
            Slot::ReferencePositives => (
                "reference_positive_scores",
                buffers.reference_scores.as_ref().map(|s| &s.0),
                words(shape.pairs),
            ),
            Slot::ReferenceColumns => (
                "reference_column_scores",
                buffers.reference_scores.as_ref().map(|s| &s.1),
                words(shape.rows * shape.columns()),
            ),
            Slot::GradPositiveScores => (
                "grad_positive_scores",
                buffers.grad_positive_scores.as_ref(),
                words(shape.pairs),
            ),
            Slot::GradColumnScores => (
                "grad_column_scores",
                buffers.grad_column_scores.as_ref(),
                words(shape.rows * shape.columns()),
            ),
            Slot::ExcludeOffsets => (
                "exclude offsets",
                buffers.exclude.as_ref().map(|e| &e.0),
                words(lists + 1),
            ),
            Slot::ExcludeIds => (
                "exclude ids",
                buffers.exclude.as_ref().map(|e| &e.1),
                words(shape.excluded.unwrap_or(0)),
            ),
            Slot::GradQueries => ("grad_queries", buffers.grad_queries.as_ref(), table(u, d)),
            _ => (
                "grad_candidates",
                buffers.grad_candidates.as_ref(),
                table(rows, d),
            ),
        }
    }
}

/// The range, if it is there, large enough and aligned.
fn check_range<'a>(
    argument: &'static str,
    slice: Option<&'a Slice>,
    needed: u64,
    alignment: u64,
) -> Result<&'a Slice> {
    let Some(slice) = slice else {
        return Err(Error::Shape {
            argument,
            expected: format!("a buffer range of {needed} bytes"),
            actual: "none".into(),
        });
    };
    let room = slice.buffer.size().saturating_sub(slice.offset);
    let room = room.min(slice.size);
    if room < needed || slice.offset % alignment != 0 {
        return Err(Error::Shape {
            argument,
            expected: format!("{needed} bytes at a multiple of {alignment}"),
            actual: format!("{room} bytes at {}", slice.offset),
        });
    }
    Ok(slice)
}
