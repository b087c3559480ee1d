//! The final shader text of a dispatch.

use crate::gpu::{
    Family, Stage,
    compose::{Variant, compose},
    schedule::{Dispatch, STORED_KEYS},
    sizes::{COLUMN_UNIT, COUNT_WORDS, LaneTile, PRODUCT_BLOCK, ROW_BLOCK, SUM_BLOCK, Sizes, TEAM},
};
use crate::{DynLoss, Error, Result, loss::Spec};

/// What the text of a dispatch follows from, beside the loss: stages have few, plans many dispatches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Request {
    /// The stage.
    pub stage: Stage,
    block: bool,
    variant: Variant,
}

impl Request {
    pub(super) fn of(
        loss: &dyn DynLoss,
        dispatch: &Dispatch,
        sizes: &Sizes,
        family: Family,
    ) -> Self {
        let stage = dispatch.stage;
        let mut variant = variant(loss, dispatch, sizes, family);
        if let Some(block) = dispatch.block {
            block.put(&mut variant);
        }
        Request {
            stage,
            block: dispatch.block.is_some(),
            variant,
        }
    }

    /// Composes the text.
    pub(super) fn text(&self, loss: &dyn DynLoss) -> Result<String> {
        let stage = self.stage;
        let of_loss = if stage.has_loss() { loss.wgsl() } else { "" };
        let source = match stage.block_source() {
            Some(source) if self.block => source,
            _ => stage.source(),
        };
        compose(stage.name(), source, of_loss, &self.variant)
            .map_err(|message| Error::Gpu(format!("composing a shader: {message}")))
    }
}

/// The final WGSL of a dispatch's stage. Pure text: what plans compile, tests validate without a
/// device, and a reader may want to see.
///
/// # Errors
/// A directive of the stage or of the loss's text that does not parse.
pub fn shader_text(
    loss: &dyn DynLoss,
    dispatch: &Dispatch,
    sizes: &Sizes,
    family: Family,
) -> Result<String> {
    Request::of(loss, dispatch, sizes, family).text(loss)
}

/// The score tile of a lane.
fn lane_tile(dispatch: &Dispatch, sizes: &Sizes, family: Family) -> LaneTile {
    let stage = dispatch.stage;
    match dispatch.block {
        None if stage == Stage::Weights && sizes.kept() => Sizes::stored_tile(),
        None if matches!(stage, Stage::RowReduce | Stage::Weights) => {
            sizes.loss_tile(family.lanes())
        }
        None if matches!(stage, Stage::StoredReduce | Stage::StoredWeights) => LaneTile::QUAD,
        None if stage.has_tile() => sizes.tile(),
        _ => LaneTile::STREAMED,
    }
}

fn count(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Whether a stage takes two vec4 in one load: with `rows` of a lane, `columns` at a time, `parts` vec4 of
/// the D numbers. Records among the candidates are read one by one.
fn wide(
    dispatch: &Dispatch,
    sizes: &Sizes,
    tile: &LaneTile,
    [rows, columns, parts]: [u32; 3],
) -> bool {
    sizes.wide_loads
        && rows == 8
        && !dispatch.flags.contains(&"RECORDS")
        && match dispatch.stage {
            Stage::RowReduce | Stage::Weights => {
                tile.resident && columns == 1 && sizes.dim4.is_multiple_of(16)
            }
            Stage::GradQueries => columns == 2 && parts.is_multiple_of(8),
            Stage::GradCandidates => parts.is_multiple_of(4),
            _ => false,
        }
}

/// The flags and counts of a dispatch's text.
fn variant(loss: &dyn DynLoss, dispatch: &Dispatch, sizes: &Sizes, family: Family) -> Variant {
    let mut flags = dispatch.flags.clone();
    let tile = lane_tile(dispatch, sizes, family);
    let parts = Sizes::parts(u64::from(dispatch.job.dim4));
    let [rows, quads, columns, parts] =
        match Sizes::product_tile(dispatch.stage, &dispatch.job, family.lanes()) {
            Some(of) if dispatch.stage == Stage::GradQueries => {
                [of.own, of.own / 4, of.step, count(of.parts)]
            }
            Some(of) => [of.own, of.step / 4, tile.columns, count(of.parts)],
            None => [tile.rows, tile.rows / 4, tile.columns, count(parts)],
        };
    let wide = wide(dispatch, sizes, &tile, [rows, columns, parts]);
    // A load brings several vec4 of each column where those are fewer than eight.
    let slices = if wide { 16 } else { 8 } / columns;
    let run = if wide { 4 } else { 2 };
    let team = if flags.contains(&"TEAMS") { TEAM } else { 1 };
    let mut counts = vec![
        ("TEAM", count(team)),
        ("ROWS", rows),
        ("QUADS", quads),
        ("COLS", columns),
        ("COL_GROUPS", tile.groups),
        ("UNROLL", 1),
        ("PARTS", parts),
        ("PART_RUN", run),
        ("PART_RUNS", parts / run),
        ("ROW_PAIRS", rows / 2),
        ("PART_SLABS", parts / slices),
        ("SLICES", slices),
        ("SLICE_PAIRS", slices / 2),
        ("TERMS", count(sizes.terms())),
        ("SUM_BLOCK", count(SUM_BLOCK)),
        ("PRODUCT_BLOCK", count(PRODUCT_BLOCK)),
        ("ROW_BLOCK", count(ROW_BLOCK)),
        ("COUNT_WORDS", count(COUNT_WORDS)),
        ("STORED_KEYS", count(STORED_KEYS)),
        ("COLUMN_UNIT", count(COLUMN_UNIT)),
        ("LANES", family.lanes()),
    ];
    if family.subgroups() {
        flags.push("SUBGROUPS");
    }
    flags.extend(sizes.storage().flag());
    if tile.resident {
        counts.push(("SLABS", count(sizes.dim4) / slices));
    }
    put_true(
        [
            (wide, "WIDE"),
            (tile.resident, "RESIDENT"),
            (tile.rows > 4, "TALL"),
            (tile.columns == 1, "ONE_COLUMN"),
        ],
        &mut flags,
    );
    let mut variant = Variant { flags, counts };
    if dispatch.stage.has_loss() {
        // A unit of its own has one pair, if not a row's.
        let one_pair = sizes.row_units() || dispatch.stage == Stage::StoredReduce;
        put_loss(&loss.spec(), sizes, one_pair, &mut variant);
    }
    variant
}

/// What the stages with a loss need beside its text.
fn put_loss(spec: &Spec, sizes: &Sizes, one_pair: bool, variant: &mut Variant) {
    variant.counts.extend([
        ("THETAS", count(spec.learnt() as u64)),
        ("STATES", count(spec.thetas as u64)),
        ("STATISTIC_SIZE", count(sizes.statistic)),
    ]);
    let facts = [
        (sizes.row_units(), "ROW_UNITS"),
        (one_pair && !spec.separable, "ONE_PAIR"),
        (sizes.is_sum(), "SUM"),
        (spec.second.is_some(), "SECOND"),
    ];
    put_true(facts, &mut variant.flags);
}

fn put_true(facts: [(bool, &'static str); 4], flags: &mut Vec<&'static str>) {
    let known = facts.into_iter().filter(|(on, _)| *on);
    flags.extend(known.map(|(_, name)| name));
}
