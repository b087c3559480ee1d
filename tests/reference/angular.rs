//! The angular margins written down from their definitions: arc cosines and all.

use crate::{pairs::Seen, tape::Var};
use std::f64::consts::PI;
use wgloss::{
    AnyLoss,
    loss::{
        AdaFace, CurricularFace, DynamicMargin, ExpFace, FeatureScale, Gradient, MagFace,
        SphereFace, SphereFaceR, Variant,
    },
};

/// The target with what the margin adds taken for a constant, if it is detached.
fn attached<'t>(gradient: Gradient, mapped: Var<'t>, cosine: Var<'t>) -> Var<'t> {
    match gradient {
        Gradient::Exact => mapped,
        Gradient::Detached => cosine + (mapped.value - cosine.value),
    }
}

/// cos(m₁θ + m₂) − m₃ and what is beyond it.
fn affine(cosine: Var<'_>, [m1, m2, m3]: [f64; 3], variant: Variant) -> Var<'_> {
    let turned = cosine.acos() * m1 + m2;
    let beyond = turned.value > PI;
    let mapped = match variant {
        Variant::HardThreshold if beyond && m1 == 1.0 => cosine + -m2 * m2.sin(),
        Variant::HardThreshold if beyond => {
            cosine + -(m2 * m2.sin()).max(1.0 + ((PI - m2) / m1).cos())
        }
        Variant::Clamped if beyond => cosine * 0.0 + -1.0,
        Variant::Easy if cosine.value <= 0.0 => cosine,
        _ => turned.cos(),
    };
    mapped + -m3
}

fn unfolded(cosine: Var<'_>, m: f64) -> Var<'_> {
    let turned = cosine.acos() * m;
    let folds = (turned.value / PI).floor();
    let sign = if folds % 2.0 == 0.0 { 1.0 } else { -1.0 };
    turned.cos() * sign + -2.0 * folds
}

fn power(cosine: Var<'_>, m: f64) -> Var<'_> {
    (((cosine.acos() * (1.0 / PI)).ln() * m).exp() * PI).cos()
}

impl<'t> Seen<'t> {
    /// Softmax over the cosines with this target, both times s; `None` where nothing is in the sum.
    fn softmax(&self, scale: Var<'t>, filter: Option<f64>, target: Var<'t>) -> Option<Var<'t>> {
        let rest = self.log_sum(|score| {
            let far = filter.is_some_and(|filter| score.value > filter);
            Some(if far { score * 0.0 } else { score * scale })
        })?;
        Some(self.with_own(target * scale, rest))
    }

    fn constant(&self, value: f64) -> Var<'t> {
        self.tape.var(value)
    }

    /// The loss, if it is one of these.
    pub fn angular(&self, loss: &AnyLoss) -> Option<Option<Var<'t>>> {
        let c = self.positive;
        let (scale, filter, target) = match loss {
            AnyLoss::NormFace(l) => (l.scale, l.filter, c),
            AnyLoss::CosFace(l) => (l.scale, l.filter, c + -l.margin),
            AnyLoss::ArcFace(l) => {
                let mapped = affine(c, [1.0, l.margin, 0.0], l.variant);
                (l.scale, l.filter, attached(l.gradient, mapped, c))
            }
            AnyLoss::CombinedMargin(l) => {
                let mapped = affine(c, [l.m1, l.m2, l.m3], l.variant);
                (l.scale, l.filter, attached(l.gradient, mapped, c))
            }
            AnyLoss::ExpFace(l) => (l.scale, l.filter, self.exp_face(l)),
            AnyLoss::AdaFace(l) => (l.scale, None, self.ada_face(l)),
            AnyLoss::SphereFace(l) => return Some(self.sphere_face(l)),
            AnyLoss::SphereFaceR(l) => return Some(self.sphere_face_r(l)),
            AnyLoss::MagFace(l) => return Some(self.mag_face(l)),
            AnyLoss::CurricularFace(l) => return Some(self.curricular_face(l)),
            _ => return None,
        };
        Some(self.softmax(self.constant(scale), filter, target))
    }

    fn exp_face(&self, loss: &ExpFace) -> Var<'t> {
        let m = match loss.dynamic {
            DynamicMargin::Off => loss.margin,
            dynamic => {
                let ahead = (self.others as f64).ln() / loss.scale;
                let aim = self.negative_mean
                    + match dynamic {
                        DynamicMargin::BreakEven => ahead,
                        _ => 0.0,
                    };
                let share = |cosine: f64| (cosine.clamp(-1.0, 1.0).acos() / PI).ln();
                (share(aim) / share(self.mean_positive())).clamp(0.1, 1.0)
            }
        };
        attached(loss.gradient, power(self.positive, m), self.positive)
    }

    fn mean_positive(&self) -> f64 {
        self.batch.iter().map(|(score, _)| score).sum::<f64>() / self.batch.len() as f64
    }

    fn sphere_face(&self, loss: &SphereFace) -> Option<Var<'t>> {
        let by_norm = loss.feature_scale == FeatureScale::Norm;
        // Scores then carry the norm: columns have it already.
        let norm = if by_norm {
            self.norm
        } else {
            self.constant(1.0)
        };
        let cosine = match norm.value {
            0.0 => self.positive,
            _ => self.positive / norm,
        };
        let blended =
            (cosine * loss.lambda + unfolded(cosine, loss.margin)) * (1.0 / (1.0 + loss.lambda));
        let target = attached(loss.gradient, blended, cosine) * norm;
        self.softmax(self.constant(loss.scale), loss.filter, target)
    }

    fn sphere_face_r(&self, loss: &SphereFaceR) -> Option<Var<'t>> {
        let (c, scale) = (self.positive, self.constant(loss.scale));
        if loss.version == 1 {
            let mapped = affine(c, [loss.margin, 0.0, 0.0], Variant::Clamped);
            return self.softmax(scale, None, attached(loss.gradient, mapped, c));
        }
        let rest = self.log_sum(|score| {
            let mapped = match score.value.abs() <= 0.99999 {
                true => (score.acos() * (1.0 / loss.margin)).cos(),
                false => {
                    let clamped = score.value.clamp(-0.99999, 0.99999);
                    score * 0.0 + (clamped.acos() / loss.margin).cos()
                }
            };
            Some(attached(loss.gradient, mapped, score) * scale)
        })?;
        Some(self.with_own(c * scale, rest))
    }

    fn ada_face(&self, loss: &AdaFace) -> Var<'t> {
        let norms: Vec<f64> = self
            .norms
            .iter()
            .map(|norm| norm.clamp(1e-3, 100.0))
            .collect();
        let count = norms.len() as f64;
        let mean = norms.iter().sum::<f64>() / count;
        let squares: f64 = norms.iter().map(|norm| (norm - mean).powi(2)).sum();
        let [mean_before, deviation_before] = [0, 1].map(|k| self.theta[k].value);
        let deviation = match norms.len() {
            1 => deviation_before,
            _ => (squares / (count - 1.0)).sqrt(),
        };
        let moved = |before: f64, seen: f64| loss.gamma * seen + (1.0 - loss.gamma) * before;
        let mean = moved(mean_before, mean);
        let deviation = moved(deviation_before, deviation);
        let norm = self.norm.value.clamp(1e-3, 100.0);
        let share = (loss.concentration * (norm - mean) / (deviation + 1e-3)).clamp(-1.0, 1.0);
        let turned = self.positive.acos() + -loss.margin * share;
        let within = turned.value.clamp(1e-3, PI - 1e-3);
        let along = match turned.value == within {
            true => turned.cos(),
            false => turned * 0.0 + within.cos(),
        };
        along + -(loss.margin + loss.margin * share)
    }

    fn mag_face(&self, loss: &MagFace) -> Option<Var<'t>> {
        let (least, most) = (loss.least_norm, loss.largest_norm);
        let clipped = self.norm.value.clamp(least, most);
        let norm = match clipped == self.norm.value {
            true => self.norm,
            false => self.constant(clipped),
        };
        let slope = (loss.largest_margin - loss.least_margin) / (most - least);
        let m = (norm + -least) * slope + loss.least_margin;
        let c = self.positive;
        let turned = c.acos() + m;
        let beyond = turned.value > PI;
        let target = match loss.variant {
            // sin m is the cosine of what m lacks to a right angle.
            Variant::HardThreshold if beyond => c - m * (m + -0.5 * PI).cos(),
            Variant::Clamped if beyond => self.constant(-1.0),
            Variant::Easy if c.value <= 0.0 => c,
            _ => turned.cos(),
        };
        let penalty = (norm * (1.0 / (most * most)) + self.constant(1.0) / norm) * loss.norm_weight;
        Some(self.softmax(self.constant(loss.scale), None, target)? + penalty)
    }

    fn curricular_face(&self, loss: &CurricularFace) -> Option<Var<'t>> {
        let c = self.positive;
        let stage = loss.gamma * self.mean_positive() + (1.0 - loss.gamma) * self.theta[0].value;
        let border = (c.value.acos() + loss.margin).cos();
        let rest = self.log_sum(|score| {
            let hard = score.value > border;
            let mapped = if hard { score * (score + stage) } else { score };
            Some(mapped * loss.scale)
        })?;
        let target = affine(c, [1.0, loss.margin, 0.0], Variant::HardThreshold);
        Some(self.with_own(target * loss.scale, rest))
    }
}
