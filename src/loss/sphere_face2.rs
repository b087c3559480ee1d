//! SphereFace2: binary classification per class, with an angular margin.

mod held;

use super::{
    About, Described, Entry, Gradient, Held, Loss, Margin, Pair, Parameter, Parameters,
    PositiveScore, Row, RowLoss, RowReduction, Scalar, Score, Spec, Target, TargetForm, Variant,
    angular::{MARGIN_CONSTANTS, margin_of},
    domain::{self, finite, positive},
};
use crate::{Batch, Error, Output, Real, Result, Shape};
use serde::{Deserialize, Serialize};

/// Where SphereFace2's margin sits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SphereFace2Kind {
    /// On the transformed cosines of both sides: `P = g(c_y) − m`, `N = g(c_j) + m`.
    #[default]
    C,
    /// Added to the target's angle: `P = g(cos(min(θ_y + m, π)))`, `N = g(c_j)`.
    A,
    /// A factor on the target's angle: `P = g(cos(min(mθ_y, π)))`, `N = g(c_j)`.
    M,
}

/// SphereFace2: `ℓ = (w/r)·(λ·softplus(−(r·P + b)) + (1 − λ) Σ_{j≠y} softplus(r·N_j + b))` in nats with
/// `g(c) = 2((c + 1)/2)^t − 1`, P and N as [`SphereFace2Kind`] says; θ₀ = b, a learnable bias, is added
/// here, where USS and UCE subtract theirs.
///
/// The official code (opensphere) is detached: P and N are back-propagated as if they were cosines. It
/// averages over rows and columns and multiplies by the number of classes, which is the same. b begins
/// with [`SphereFace2::initial_bias`].
///
/// Published: m = 0.4 (C), 0.5 (A), 1.7 (M) ([`SphereFace2::new`]); on MS1M λ = 0.8, r = 64, m = 0.5;
/// w = 50 in the class, 10 in the configurations for `VGGFace2`. Domain: r > 0, 0 < λ < 1, t from 1 to 16,
/// w > 0; m finite (C), an angle in radians from 0 to π (A), 1 to 16 (M).
/// Source: Wen et al., "SphereFace2: binary classification is all you need for deep face recognition"
/// (ICLR 2022).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SphereFace2 {
    /// Scale r.
    pub scale: f64,
    /// λ, weight of the target.
    pub lambda: f64,
    /// t, exponent of g.
    pub t: f64,
    /// Margin m.
    pub margin: f64,
    /// Where it sits.
    pub kind: SphereFace2Kind,
    /// w, factor on the loss, beside 1/r.
    pub loss_weight: f64,
    /// Gradient mode.
    pub gradient: Gradient,
}

impl Default for SphereFace2 {
    fn default() -> Self {
        SphereFace2::new(SphereFace2Kind::C)
    }
}

impl SphereFace2 {
    /// A kind with its published margin, and the gradient exact.
    #[must_use]
    pub fn new(kind: SphereFace2Kind) -> Self {
        SphereFace2 {
            scale: 40.0,
            lambda: 0.7,
            t: 3.0,
            margin: match kind {
                SphereFace2Kind::C => 0.4,
                SphereFace2Kind::A => 0.5,
                SphereFace2Kind::M => 1.7,
            },
            kind,
            loss_weight: 50.0,
            gradient: Gradient::Exact,
        }
    }

    /// The bias that official training begins with: ∂ℓ/∂b is 0 where all cosines with `classes` classes
    /// are 0. With `z = λ/((1 − λ)(C − 1))`, `p` and `n` r times P and N there:
    /// `b = ln 2z − n − ln(1 − z + √((1 − z)² + 4z e^{p − n}))`.
    ///
    /// # Errors
    /// Fewer than two classes, or a parameter outside its domain.
    pub fn initial_bias(&self, classes: usize) -> Result<f64> {
        self.check_parameters()?;
        if classes < 2 {
            return Err(Error::Shape {
                argument: "classes",
                expected: "at least 2".into(),
                actual: classes.to_string(),
            });
        }
        let others = classes as f64 - 1.0;
        let z = self.lambda / ((1.0 - self.lambda) * others);
        let p = Parameters::<f64>::new(&Loss::constants(self));
        let own = mapped(1.0, 1.0, &p).0;
        let other = self.scale * (transformed(0.0, self.t)[0] + p.constants[MARGIN_ON_BOTH]);
        let root = ((1.0 - z).powi(2) + 4.0 * z * (own - other).exp()).sqrt();
        // For z above 1 the sum cancels; its conjugate does not.
        let sum = match z < 1.0 {
            true => 1.0 - z + root,
            false => 4.0 * z * (own - other).exp() / (z - 1.0 + root),
        };
        Ok((2.0 * z).ln() - other - sum.ln())
    }

    fn check_parameters(&self) -> Result<()> {
        let name = "sphere_face2";
        positive(name, "scale", self.scale)?;
        positive(name, "loss_weight", self.loss_weight)?;
        domain::within(name, "t", self.t, 1.0..=16.0)?;
        domain::within(name, "lambda", self.lambda, 1e-6..=1.0 - 1e-6)?;
        match self.kind {
            SphereFace2Kind::C => finite(name, "margin", self.margin),
            SphereFace2Kind::A => domain::angle(name, "margin", self.margin),
            SphereFace2Kind::M => domain::within(name, "margin", self.margin, 1.0..=16.0),
        }
    }

    fn on_angle(&self) -> Margin {
        let of = |m1, m2| Margin::Affine {
            m1,
            m2,
            m3: 0.0,
            variant: Variant::Clamped,
        };
        match self.kind {
            SphereFace2Kind::C => Margin::NONE,
            SphereFace2Kind::A => of(1.0, self.margin),
            SphereFace2Kind::M => of(self.margin, 0.0),
        }
    }

    fn is_detached(&self) -> bool {
        self.gradient == Gradient::Detached
    }
}

/// Places of constants; the first is the largest slope of z by a score.
const SCALE: usize = 1;
const EXPONENT: usize = 2;
const MARGIN_ON_BOTH: usize = 3;
const DETACHED: usize = 4;
const ON_TARGET: usize = 5;
const ON_COLUMNS: usize = 6;
const MARGIN_AT: usize = 7;

/// g and its derivative.
#[inline(always)]
fn transformed<R: Real>(cosine: R, exponent: R) -> [R; 2] {
    // No logarithm of 0, and nothing left of its exponential.
    let half = (R::from_f64(0.5) * (R::ONE + cosine)).max(R::from_f64(1e-30));
    let power = ((exponent - R::ONE) * half.ln()).exp();
    let two = R::from_f64(2.0);
    [two * power * half - R::ONE, exponent * power]
}

/// r·P of a target, and its slope by the angle.
#[inline(always)]
fn mapped<R: Real>(one_minus_cos: R, one_plus_cos: R, p: &Parameters<R>) -> (R, R) {
    let scale = p.constants[SCALE];
    let margin = &p.constants[MARGIN_AT..][..MARGIN_CONSTANTS];
    let mapped = margin_of(margin, R::ZERO, one_minus_cos, one_plus_cos);
    let [value, by_cosine] = transformed(mapped.value, p.constants[EXPONENT]);
    let slope = match p.constants[DETACHED] == R::ZERO {
        true => by_cosine * mapped.slope,
        false => mapped.slope,
    };
    let value = value - p.constants[MARGIN_ON_BOTH];
    (scale * value, scale * slope)
}

/// The row function; t = r·P.
#[inline(always)]
fn row<R: Real>(row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
    let [on_target, on_columns] = [p.constants[ON_TARGET], p.constants[ON_COLUMNS]];
    let own = -(row.target + p.theta[0]);
    RowLoss {
        value: on_columns * row.sum + on_target * own.softplus(),
        sum_slope: on_columns,
        target_slope: -(on_target * own.sigmoid()),
    }
}

impl Described for SphereFace2 {
    const ABOUT: About = About {
        title: "SphereFace2, binary classification per class",
        formula: "(w/r)(λ·softplus(−(r·P + b)) + (1 − λ) Σ_{j≠y} softplus(r·N_j + b)); C: P = g(c_y) − m, N = g(c_j) + m",
        parameters: &[
            Parameter::SCALE,
            Parameter {
                name: "lambda",
                domain: "> 0, < 1",
                meaning: "λ, weight of the target",
            },
            Parameter {
                name: "t",
                domain: "1 to 16",
                meaning: "exponent of g(c) = 2((c + 1)/2)^t − 1",
            },
            Parameter {
                name: "margin",
                domain: "c: finite; a: 0 ≤ margin < π; m: 1 to 16",
                meaning: "m",
            },
            Parameter {
                name: "kind",
                domain: "c, a, m",
                meaning: "whether the margin is on both sides, added to the angle, or a factor on it",
            },
            Parameter {
                name: "loss_weight",
                domain: "> 0",
                meaning: "w, factor on the loss, beside 1/r",
            },
            Parameter::GRADIENT,
        ],
        source: "Wen et al., SphereFace2: binary classification is all you need for deep face recognition (ICLR 2022)",
    };

    fn variants() -> Vec<Self> {
        let kinds = [SphereFace2Kind::C, SphereFace2Kind::A, SphereFace2Kind::M];
        let detached = |loss: SphereFace2| SphereFace2 {
            gradient: Gradient::Detached,
            ..loss
        };
        let exact = kinds.map(SphereFace2::new);
        let mut all = exact.to_vec();
        all.extend(exact.map(detached));
        all
    }
}

impl Loss for SphereFace2 {
    fn spec(&self) -> Spec {
        Spec {
            reduction: RowReduction::Sum,
            target: TargetForm::Tangent,
            thetas: 1,
            ..Spec::log_sum_exp("sphere_face2", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        let on_both = match self.kind {
            SphereFace2Kind::C => self.margin,
            SphereFace2Kind::A | SphereFace2Kind::M => 0.0,
        };
        let weight = self.loss_weight / self.scale;
        let mut constants = vec![
            self.scale * self.t,
            self.scale,
            self.t,
            on_both,
            f64::from(u8::from(self.is_detached())),
            weight * self.lambda,
            weight * (1.0 - self.lambda),
        ];
        constants.extend(self.on_angle().constants(self.gradient));
        constants
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        self.check_parameters()
    }

    fn scalars(&self) -> Vec<Scalar> {
        vec![Scalar {
            name: "bias",
            initial: 0.0,
            rate: 1.0,
        }]
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/sphere_face2.wgsl")
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        let (value, slope) = mapped(positive.one_minus_cos, positive.one_plus_cos, p);
        Target {
            value,
            slope,
            norm_slope: R::ZERO,
            row_constant: R::ZERO,
        }
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let scale = p.constants[SCALE];
        let [value, by_cosine] = transformed(entry.score, p.constants[EXPONENT]);
        let x = scale * (value + p.constants[MARGIN_ON_BOTH]) + p.theta[0];
        let by_cosine = match p.constants[DETACHED] == R::ZERO {
            true => by_cosine,
            false => R::ONE,
        };
        Pair {
            value: x.softplus(),
            score_slope: scale * by_cosine * x.sigmoid(),
            target_slope: R::ZERO,
        }
    }

    #[inline(always)]
    fn pair_theta<R: Real>(&self, _k: usize, entry: Entry<R>, p: &Parameters<R>) -> R {
        let [value, _] = transformed(entry.score, p.constants[EXPONENT]);
        (p.constants[SCALE] * (value + p.constants[MARGIN_ON_BOTH]) + p.theta[0]).sigmoid()
    }

    #[inline(always)]
    fn row<R: Real>(&self, seen: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        row(seen, p)
    }

    #[inline(always)]
    fn row_theta<R: Real>(&self, _k: usize, seen: Row<R>, p: &Parameters<R>) -> R {
        row(seen, p).target_slope
    }

    fn holds_entries(&self) -> bool {
        self.is_detached()
    }

    fn held(&self, batch: &Batch<'_>, output: &Output<f64>) -> Option<Held> {
        self.is_detached().then(|| held::held(self, batch, output))
    }
}
