//! The inputs of a case without embeddings: summed log-probabilities of a policy, and of its reference.

use super::{document::Document, read::not_for};
use crate::{Batch, DynLoss, GivenScores, Result, loss::TargetForm};

/// What makes a case one of given scores.
pub(super) const FIELD: &str = "policy_chosen";

/// Scores of one positive and the same number of columns per row. Case files list the columns' slot
/// by slot, B numbers each; here they are row by row.
#[derive(Clone, Debug)]
pub(super) struct Scores {
    chosen: Vec<f32>,
    rejected: Vec<f32>,
    per_row: usize,
    reference: Option<(Vec<f32>, Vec<f32>)>,
}

impl Scores {
    pub fn read(document: &mut Document<'_>, loss: &dyn DynLoss) -> Result<Self> {
        let spec = loss.spec();
        if spec.second.is_some() || spec.ranks || spec.target == TargetForm::Tangent {
            return Err(not_for(document, FIELD, loss));
        }
        let raw = document.require(FIELD)?;
        let chosen: Vec<f32> = document.decode(FIELD, raw)?;
        let raw = document.require("policy_rejected")?;
        let slots: Vec<Vec<f32>> = document.decode("policy_rejected", raw)?;
        let (rows, per_row) = (chosen.len(), slots.len());
        let rejected = by_row(document, "policy_rejected", &slots, rows)?;
        let reference: Option<Vec<f32>> = document.read("reference_chosen")?;
        let reference_slots: Option<Vec<Vec<f32>>> = document.read("reference_rejected")?;
        let reference = match (reference, reference_slots) {
            (None, None) => None,
            (Some(_), None) => return Err(document.error("reference_rejected", "is missing")),
            (None, Some(_)) => return Err(document.error("reference_chosen", "is missing")),
            (Some(chosen), Some(slots)) => {
                check(document, "reference_chosen", chosen.len(), rows)?;
                if slots.len() != per_row {
                    let message = format!("expected {per_row} lists, got {}", slots.len());
                    return Err(document.error("reference_rejected", message));
                }
                let rejected = by_row(document, "reference_rejected", &slots, rows)?;
                Some((chosen, rejected))
            }
        };
        Ok(Scores {
            chosen,
            rejected,
            per_row,
            reference,
        })
    }

    /// B.
    pub fn rows(&self) -> usize {
        self.chosen.len()
    }

    /// M.
    pub fn per_row(&self) -> usize {
        self.per_row
    }

    pub fn batch(&self) -> Result<Batch<'_>> {
        let reference = self.reference.as_ref();
        Batch::from_scores(GivenScores {
            positives: &self.chosen,
            columns: &self.rejected,
            per_row: self.per_row,
            reference: reference.map(|(chosen, rejected)| (&chosen[..], &rejected[..])),
        })
    }
}

/// From one list per slot to one per row.
fn by_row(
    document: &Document<'_>,
    name: &str,
    slots: &[Vec<f32>],
    rows: usize,
) -> Result<Vec<f32>> {
    for slot in slots {
        check(document, name, slot.len(), rows)?;
    }
    Ok((0..rows)
        .flat_map(|row| slots.iter().map(move |slot| slot[row]))
        .collect())
}

fn check(document: &Document<'_>, name: &str, length: usize, rows: usize) -> Result<()> {
    if length == rows {
        return Ok(());
    }
    let message = format!("expected {rows} numbers, one per row, got {length}");
    Err(document.error(name, message))
}

/// From rows of `per_row` numbers to one list per slot, as case files have them.
pub(super) fn by_slot<T: Copy>(numbers: &[T], per_row: usize) -> Vec<Vec<T>> {
    let of_slot = |slot| {
        numbers
            .iter()
            .skip(slot)
            .step_by(per_row)
            .copied()
            .collect()
    };
    (0..per_row).map(of_slot).collect()
}
