//! How a plan stores the rows that it reads many times.

use super::{Family, compose::HALF};
use crate::{ColumnKind, Error, Result, Shape, loss::Spec};

/// Type of the packed rows of both sides: the queries' and the candidates' numbers, of unit length
/// for cosines. Products are added up in f32 and gradients are f32 with either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Storage {
    /// f32: 4 bytes per number.
    #[default]
    F32,
    /// IEEE half precision: 2 bytes per number, so half the traffic. Numbers that a half holds, as
    /// those of f16 tables compared by dot products, give the same scores as f32. Others are rounded
    /// to 11 bits: by at most 2⁻¹⁰ of their size (2⁻¹¹ where the driver rounds to nearest), or 2⁻²⁴
    /// where they are below 2⁻¹⁴. Beyond ±65504 they are an error as numbers that are not finite.
    ///
    /// For the block family, columns `All` and `Shared`, and losses without ranks, sub-centres and
    /// means of all other scores.
    F16,
}

impl Storage {
    /// Bytes of four numbers; packed rows are counted in these.
    pub(super) fn quad_bytes(self) -> u64 {
        match self {
            Storage::F32 => 16,
            Storage::F16 => 8,
        }
    }

    /// What a record of four f32 takes, in quads.
    pub(super) fn record(self) -> u64 {
        16 / self.quad_bytes()
    }

    /// The flag of texts.
    pub(super) fn flag(self) -> Option<&'static str> {
        (self == Storage::F16).then_some(HALF)
    }

    /// Refuses what has no text that reads halves.
    pub(super) fn check(self, shape: &Shape, spec: &Spec, family: Family) -> Result<()> {
        let sampled = matches!(shape.columns, ColumnKind::Sampled(_)) || shape.given.is_some();
        let obstacle = match self {
            Storage::F32 => None,
            _ if !matches!(family, Family::Block { .. }) => {
                Some("kernels of another family than block")
            }
            _ if sampled => Some("sampled or given scores of columns"),
            _ if shape.columns_per_class > 1 => Some("sub-centres"),
            _ if spec.ranks => Some("ranks"),
            _ if spec.negative_mean => Some("the mean of all negatives"),
            _ => None,
        };
        match obstacle {
            None => Ok(()),
            Some(what) => Err(Error::Unsupported(format!(
                "storage F16 with {what}: expected storage F32 there"
            ))),
        }
    }
}
