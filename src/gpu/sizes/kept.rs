//! Whether a plan keeps its scores between the reduction and the weights.

use super::{COLUMN_UNIT, LaneTile, Limits, Sizes, TILE, round_up};
use crate::gpu::PlanOptions;
use crate::{Error, Result};

/// Narrowest row for which the plan itself chooses to keep scores, vec4: a score that is written and
/// read again costs as much as some tens of multiply-adds.
const KEPT_DIM4: u64 = 16;

/// Where the weights have their scores from. Gradients agree to rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scores {
    /// Kept where they fit half the scratch and D is not small, or they are stored in any case
    /// ([`Family::Block`](crate::gpu::Family::Block)); or else multiplied again.
    #[default]
    Auto,
    /// Multiplied again: 8·B·N·D FLOP for value and both gradients.
    Twice,
    /// Kept, 4·B·N bytes of either pair of tables: 6·B·N·D FLOP.
    Kept,
}

impl Sizes {
    /// Makes room for kept scores, if they are to be kept.
    ///
    /// # Errors
    /// [`Scores::Kept`] where they cannot be.
    pub fn keep_scores(
        &mut self,
        options: &PlanOptions,
        limits: &Limits,
        gradients: bool,
    ) -> Result<()> {
        let obstacle = self.obstacle(limits);
        match (options.scores, obstacle) {
            (Scores::Twice, _) => return Ok(()),
            _ if !gradients => return Ok(()),
            (Scores::Kept, Some(what)) => {
                return Err(Error::Unsupported(format!(
                    "scores Kept with {what}: expected scores Auto or Twice there"
                )));
            }
            (Scores::Auto, Some(_)) => return Ok(()),
            // Scores that are stored anyway need not be multiplied again.
            (Scores::Auto, None) if self.dim4 < KEPT_DIM4 && !self.stored => return Ok(()),
            (_, None) => {}
        }
        self.kept = true;
        self.weight_chunk = round_up(self.columns, COLUMN_UNIT);
        self.hold_blocks(limits);
        Ok(())
    }

    fn obstacle(&self, limits: &Limits) -> Option<&'static str> {
        let padded = round_up(self.columns, COLUMN_UNIT);
        let scores = self.row_part * padded * 4;
        let sums = |dim4: u64| padded * dim4 * 16;
        let widest = sums(self.dim4.max(self.second_dim4));
        if self.sampled || self.moments {
            return Some("sampled or given scores, or second moments");
        }
        if self.second_dim4 > 0 && !self.stored {
            return Some("a second tile in another family than block");
        }
        if self.row_part < self.rows || self.column_chunk < padded {
            return Some("a batch that does not fit one chunk of rows and columns");
        }
        let second = self.spec.second.is_some();
        let scratches = 1 + u64::from(self.spec.column_parameters) + u64::from(second);
        let held = scratches * scores + sums(self.dim4 + self.second_dim4);
        let fits = held <= self.budget.scratch / 2 && scores.max(widest) <= limits.max_binding;
        (!fits).then_some("less scratch or smaller bindings than they need")
    }

    /// Whether scores are kept.
    #[must_use]
    pub fn kept(&self) -> bool {
        self.kept
    }

    /// Whether the stages with a loss read their scores from the scratch in the block family: those of
    /// columns of each row's own; and where rows have several statistics, scores a second tile or the
    /// loss several learnt scalars, for which registers have no room beside a tile.
    #[must_use]
    pub fn stored(&self) -> bool {
        self.stored
    }

    /// Whether scores are stored before the value is known: for those stages, for a class's best
    /// sub-centre to be found, or for ranks to be counted.
    pub(super) fn stores_scores(&self) -> bool {
        let tiles = self.budget.candidate_blocks > 0;
        let counted = self.spec.ranks || self.keys > 0;
        self.stored || tiles && (self.shape.columns_per_class > 1 || counted)
    }

    /// The tile of a lane that reads scores.
    #[must_use]
    pub fn stored_tile() -> LaneTile {
        LaneTile {
            rows: TILE as u32,
            columns: 8,
            groups: 1,
            resident: false,
        }
    }
}
