//! A loss is a handful of scalar functions: [`Loss`]. Tiles, reductions and gradients know no
//! loss by name.
//!
//! Per row and column the engine computes a score `s`; per (row, positive) pair the target `t`,
//! the positive's score after the loss's margin map. Then
//!
//! ```text
//! z = pair(s, t)            value of a column, with ∂z/∂s and ∂z/∂t
//! R = LSE_j z  or  Σ_j z    reduction over the row's columns
//! ℓ = row(R, t)             loss of the pair in nats, with ∂ℓ/∂R and ∂ℓ/∂t
//! ```
//!
//! Adding a loss costs its Rust file, its WGSL file (the same functions), and a line in
//! [`registry`].

mod about;
mod ada_face;
mod adv_info_nce;
pub mod angular;
mod arc_face;
mod bce;
mod bpr;
mod bsl;
mod ccl;
mod circle;
mod combined_margin;
mod cos_face;
mod curricular_face;
mod domain;
mod erased;
mod exp_face;
mod gbce;
mod guided_rec;
mod held;
mod lambda_loss;
mod lambda_loss_at_k;
mod lambda_rank;
mod llpauc;
mod mag_face;
mod mse;
mod norm_face;
mod pair_sums;
mod psl;
pub mod registry;
mod s2s;
mod s_dpo;
mod scalars;
mod scaled_info_nce;
mod sl;
mod sl_at_k;
mod sog_clr;
mod sog_sl_at_k;
mod spec;
mod sphere_face;
mod sphere_face2;
mod sphere_face_r;
mod sup_con;
mod uce;
mod unified;
mod uss;

pub use about::{About, Described, Parameter};
pub use ada_face::AdaFace;
pub use adv_info_nce::AdvInfoNce;
pub use angular::{FeatureScale, Gradient, Margin, MarginSoftmax, Variant};
pub use arc_face::ArcFace;
pub use bce::Bce;
pub use bpr::Bpr;
pub use bsl::{Bsl, BslForm};
pub use ccl::Ccl;
pub use circle::Circle;
pub use combined_margin::CombinedMargin;
pub use cos_face::CosFace;
pub use curricular_face::CurricularFace;
pub(crate) use domain::positive;
pub use erased::DynLoss;
pub(crate) use erased::constants;
pub use exp_face::{DynamicMargin, ExpFace};
pub use gbce::Gbce;
pub use guided_rec::GuidedRec;
pub use held::Held;
pub use lambda_loss::{Discount, LambdaLoss};
pub use lambda_loss_at_k::{LambdaLossAtK, LowerShare};
pub use lambda_rank::LambdaRank;
pub use llpauc::{Llpauc, LlpaucRule};
pub use mag_face::MagFace;
pub use mse::Mse;
pub use norm_face::NormFace;
pub use pair_sums::{MultiSimilarity, ProxyAnchor};
pub use psl::{Activation, Psl};
pub use registry::AnyLoss;
pub use s_dpo::{SDpo, SDpoReference};
pub use s2s::{S2sBce, S2sNaive};
pub use scalars::{
    BatchStatistics, EMPTY, Entry, Pair, Parameters, PositiveScore, Renewal, Row, RowLoss,
    RowParameter, Scalar, Target, UNSET,
};
pub use scaled_info_nce::ScaledInfoNce;
pub use sl::{InfoNce, Sl};
pub use sl_at_k::SlAtK;
pub use sog_clr::SogClr;
pub use sog_sl_at_k::SogSlAtK;
pub use spec::{Outer, Pool, RowReduction, Score, SecondTile, Spec, TargetForm};
pub use sphere_face::SphereFace;
pub use sphere_face_r::SphereFaceR;
pub use sphere_face2::{SphereFace2, SphereFace2Kind};
pub use sup_con::{NtXent, SupCon};
pub use uce::{Uce, UceForm};
pub use uss::Uss;

use crate::{
    Batch, Output, Real, Result, Shape,
    shape::{MAX_ROW_PARAMETERS, MAX_THETA},
};

/// A loss: configuration and scalar functions, the same in Rust (generic over the float) and in
/// WGSL. Implement it for your own type to run it on every path.
///
/// The WGSL text defines, with the shared math functions in scope and `loss_constant(k)`,
/// `loss_theta(k)` for the parameters:
///
/// ```wgsl
/// fn loss_target(positive: PositiveScore) -> Target
/// fn loss_pair(entry: Entry) -> Pair
/// fn loss_row(row: Row) -> RowLoss
/// ```
///
/// and, where [`Spec`] asks for them, `loss_pair_theta(k: u32, entry: Entry) -> f32`,
/// `loss_row_theta(k: u32, row: Row) -> f32`, `loss_pool_scale() -> f32`,
/// `loss_target_column(positive: PositiveScore) -> f32`, `loss_pair_column(entry: Entry) -> f32`,
/// `loss_batch_value(positive: PositiveScore) -> f32`, `loss_row_state(row: Row) -> vec2<f32>`,
/// `loss_theta_bounds(k: u32) -> vec2<f32>`, `loss_norm_slope(positive: PositiveScore) -> f32`,
/// `loss_theta_state(k: u32, batch: vec4<f32>, negative_mean: f32, negatives: f32) -> f32`, and with a
/// second tile
/// `loss_pair_second(entry: Entry) -> f32`, `loss_row_second(row: Row) -> f32`. The structs have the fields of their Rust
/// twins, but t is `target_value`, a row's two parameters are a `vec2`, and batch statistics a
/// `vec4`. Use `DEAD` for the value of a dead column.
pub trait Loss: Clone + Send + Sync + std::fmt::Debug + 'static {
    /// What the engine must know.
    fn spec(&self) -> Spec;

    /// The numbers the functions read as `constants`, at most [`MAX_CONSTANTS`](crate::MAX_CONSTANTS). The first is the
    /// factor that z has on scores (1/τ, or a scale): tolerances of [`crate::check`] read it.
    fn constants(&self) -> Vec<f64>;

    /// Checks parameters and their fit to the batch.
    ///
    /// # Errors
    /// [`crate::Error::Domain`] naming parameter and domain.
    fn check(&self, shape: &Shape) -> Result<()>;

    /// The WGSL functions.
    fn wgsl(&self) -> &'static str;

    /// Runs `work` on a loss equal to `self`. A loss whose functions branch on its configuration
    /// calls `work` once per branch, each time on a value that is constant there: the compiler
    /// then vectorises every branch by itself.
    #[inline(always)]
    fn specialized<T>(&self, work: impl FnOnce(&Self) -> T) -> T {
        work(self)
    }

    /// t of a pair. The identity unless said otherwise.
    fn target<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> Target<R> {
        Target {
            value: positive.score,
            slope: R::ONE,
            norm_slope: R::ZERO,
            row_constant: R::ZERO,
        }
    }

    /// ∂t/∂(column parameter of the positive).
    fn target_column<R: Real>(&self, _positive: PositiveScore<R>, _p: &Parameters<R>) -> R {
        R::ZERO
    }

    /// What [`Spec::batch_statistics`] are taken of; `positive.batch` is zero here. The scaled
    /// score unless said otherwise.
    fn batch_value<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> R {
        positive.score
    }

    /// z of a column and its slopes.
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R>;

    /// ∂ℓ/∂‖q‖ at fixed R and t, where [`Spec::norm_slope`] says that there is one: the slope of a
    /// penalty on norms, whose value `row` adds (from [`Target::row_constant`]).
    fn norm_slope<R: Real>(&self, _positive: PositiveScore<R>, _p: &Parameters<R>) -> R {
        R::ZERO
    }

    /// ∂z/∂θₖ.
    fn pair_theta<R: Real>(&self, _k: usize, _entry: Entry<R>, _p: &Parameters<R>) -> R {
        R::ZERO
    }

    /// ∂z/∂(column parameter).
    fn pair_column<R: Real>(&self, _entry: Entry<R>, _p: &Parameters<R>) -> R {
        R::ZERO
    }

    /// ∂z/∂r, the slope by the second tile's score.
    fn pair_second<R: Real>(&self, _entry: Entry<R>, _p: &Parameters<R>) -> R {
        R::ZERO
    }

    /// ∂ℓ/∂(`LSE_j r`) at fixed R.
    fn row_second<R: Real>(&self, _row: Row<R>, _p: &Parameters<R>) -> R {
        R::ZERO
    }

    /// ℓ of a pair and its slopes.
    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R>;

    /// ∂ℓ/∂θₖ at fixed R.
    fn row_theta<R: Real>(&self, _k: usize, _row: Row<R>, _p: &Parameters<R>) -> R {
        R::ZERO
    }

    /// The row's parameters after an evaluation, where [`Spec::row_state`] says that it renews them.
    fn row_state<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> [R; MAX_ROW_PARAMETERS] {
        row.row
    }

    /// θ after a batch with these statistics, where [`Spec::theta_state`] says that it renews them;
    /// `p` has θ as it was before. Not asked where no pair is live.
    fn theta_state<R: Real>(&self, _seen: BatchStatistics<R>, p: &Parameters<R>) -> [R; MAX_THETA] {
        p.theta
    }

    /// The scalars θ, as many as [`Spec::thetas`].
    fn scalars(&self) -> Vec<Scalar> {
        let scalar = Scalar {
            name: "theta",
            initial: 0.0,
            rate: 1.0,
        };
        vec![scalar; self.spec().thetas]
    }

    /// Least and largest value of θₖ, read after θ₀ to θₖ₋₁ were brought into theirs. ±10³⁰ for
    /// none.
    fn theta_bounds<R: Real>(&self, _k: usize, _p: &Parameters<R>) -> [R; 2] {
        [-1e30, 1e30].map(R::from_f64)
    }

    /// The numbers per batch row, as many as [`Spec::row_parameters`].
    fn row_parameters(&self) -> Vec<RowParameter> {
        let parameter = RowParameter {
            name: "row_parameters",
            after: None,
            log: false,
            initial: 0.0,
            renewal: Renewal::Given,
        };
        vec![parameter; self.spec().row_parameters]
    }

    /// For a loss whose gradients take something for constant that depends on the embeddings: the loss
    /// with that held fast at what it is on this batch, of one positive per row, with these
    /// results. Checks by differences evaluate it in place of the loss.
    fn held(&self, _batch: &Batch<'_>, _output: &Output<f64>) -> Option<Held> {
        None
    }

    /// Whether gradients take something of each entry for constant. [`Loss::held`] then holds that
    /// for sampled columns alone, and checks by differences leave other batches out.
    fn holds_entries(&self) -> bool {
        false
    }

    /// κ of [`Pool::Query`].
    fn pool_scale<R: Real>(&self, _p: &Parameters<R>) -> R {
        R::ONE
    }
}
