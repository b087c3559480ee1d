//! Losses of two log-sums, one over a row's positives and one over its negatives: Multi-Similarity
//! and Proxy-Anchor. Both are `(w + u)·softplus(T) + v·softplus(R)` with `T = log Σ_p e^{−α(s_p − λ)}`
//! pooled over the row's positives, `R = log Σ_j e^{β(s_j − μ)}`.
//!
//! Constants: β, μ, α, λ, w, v; u is the row's parameter.

use super::{
    About, Described, Entry, Loss, Pair, Parameter, Parameters, Pool, PositiveScore, Renewal, Row,
    RowLoss, RowParameter, Score, Spec, Target,
    domain::{finite, positive},
};
use crate::{Error, Real, Result, Shape, shape::ReductionKind};
use serde::{Deserialize, Serialize};

/// Multi-Similarity loss of a row, in nats:
/// `ℓ_i = (1/α)·log(1 + Σ_p e^{−α(S_ip − λ)}) + (1/β)·log(1 + Σ_n e^{β(S_in − λ)})`, S cosines; p runs
/// over the row's positives, n over its negatives. Each of a row's n pairs weighs 1/n, so that the
/// mean is over rows. A row without positives ([`ABSENT`](crate::ABSENT)) keeps the second term, one
/// without negatives the first.
///
/// A batch compares samples with themselves: queries and candidates are one table,
/// [`Batch::exclude_self`](crate::Batch::exclude_self) is called, and the gradient of the table is
/// the sum of both gradients. [`SamplePairs`](crate::SamplePairs) makes it from labels.
///
/// No pairs are mined: every pair counts, as in pytorch-metric-learning without a miner. The
/// official code keeps a negative if `S_in > min_p S_ip − 0.1` and a positive if
/// `S_ip < max_n S_in + 0.1`, has β = 40, and removes self-pairs by `S < 1 − 10⁻⁵`, exact duplicates
/// among them; here the sample's place does.
///
/// Domain: α > 0, β > 0, λ finite; reduction mean, no weights.
/// Source: Wang et al., "Multi-similarity loss with general pair weighting for deep metric learning"
/// (CVPR 2019), with λ = 1; both codes have λ = 0.5, the default here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MultiSimilarity {
    /// α, sharpness of the positives.
    pub alpha: f64,
    /// β, sharpness of the negatives.
    pub beta: f64,
    /// λ, the cosine between similar and dissimilar.
    pub threshold: f64,
}

impl Default for MultiSimilarity {
    fn default() -> Self {
        MultiSimilarity {
            alpha: 2.0,
            beta: 50.0,
            threshold: 0.5,
        }
    }
}

impl Described for MultiSimilarity {
    const ABOUT: About = About {
        title: "Multi-Similarity loss, without mining",
        formula: "log(1 + Σ_p e^{−α(S_ip − λ)})/α + log(1 + Σ_n e^{β(S_in − λ)})/β",
        parameters: &[
            Parameter {
                name: "alpha",
                domain: "> 0",
                meaning: "α, sharpness of the positives",
            },
            Parameter {
                name: "beta",
                domain: "> 0",
                meaning: "β, sharpness of the negatives",
            },
            Parameter {
                name: "threshold",
                domain: "finite",
                meaning: "λ, the cosine between similar and dissimilar",
            },
        ],
        source: "Wang et al., Multi-similarity loss with general pair weighting for deep metric learning (CVPR 2019)",
    };
}

/// The specification of both: one value per row, whatever its positives.
fn spec(name: &'static str) -> Spec {
    Spec {
        pool: Pool::Query {
            per_group: true,
            sum: true,
        },
        absent_positives: true,
        empty_rows: true,
        ..Spec::log_sum_exp(name, Score::Cosine, 1.0)
    }
}

fn check_shape(loss: &'static str, shape: &Shape) -> Result<()> {
    let refused = [
        (
            shape.reduction != ReductionKind::Mean || shape.weights,
            "pools a row's positives: takes reduction `mean` and no weights",
        ),
        (shape.log_q, "takes no log_q"),
        (
            shape.positives_in_columns,
            "positives are no negatives: takes no positives_in_columns",
        ),
    ];
    match refused.iter().find(|(refused, _)| *refused) {
        Some((_, why)) => Err(Error::Unsupported(format!("{loss}: {why}"))),
        None => Ok(()),
    }
}

#[inline(always)]
fn target<R: Real>(seen: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
    let [_, _, alpha, threshold, ..] = p.constants;
    Target {
        value: -(alpha * (seen.score - threshold)),
        slope: -alpha,
        norm_slope: R::ZERO,
        row_constant: R::ZERO,
    }
}

#[inline(always)]
fn pair<R: Real>(entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
    let [beta, threshold, ..] = p.constants;
    Pair {
        value: beta * (entry.score - threshold),
        score_slope: beta,
        target_slope: R::ZERO,
    }
}

#[inline(always)]
fn row<R: Real>(row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
    let [_, _, _, _, on_positives, on_negatives, ..] = p.constants;
    let on_positives = on_positives + row.row[0];
    RowLoss {
        value: on_positives * row.target.softplus() + on_negatives * row.sum.softplus(),
        sum_slope: on_negatives * row.sum.sigmoid(),
        target_slope: on_positives * row.target.sigmoid(),
    }
}

impl Loss for MultiSimilarity {
    fn spec(&self) -> Spec {
        spec("multi_similarity")
    }

    fn constants(&self) -> Vec<f64> {
        let (alpha, beta) = (self.alpha, self.beta);
        let threshold = self.threshold;
        vec![beta, threshold, alpha, threshold, 1.0 / alpha, 1.0 / beta]
    }

    fn check(&self, shape: &Shape) -> Result<()> {
        positive("multi_similarity", "alpha", self.alpha)?;
        positive("multi_similarity", "beta", self.beta)?;
        finite("multi_similarity", "threshold", self.threshold)?;
        check_shape("multi_similarity", shape)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/pair_sums.wgsl")
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        target(positive, p)
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        pair(entry, p)
    }

    #[inline(always)]
    fn row<R: Real>(&self, seen: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        row(seen, p)
    }
}

/// Proxy-Anchor loss of a class, in nats:
/// `ℓ_c = w·log(1 + Σ_{i: y_i=c} e^{−α(s_ci − δ)}) + log(1 + Σ_{i: y_i≠c} e^{α(s_ci + δ)})`, s the
/// cosines of the class's proxy with the samples; `w = C/|P⁺|`, |P⁺| the classes that the batch has
/// samples of, is the row parameter `positive_weight`. The mean over all C classes is the published
/// loss.
///
/// The batch is transposed: queries are proxies, rows are classes, candidates are the samples, and a
/// class's positives are its samples, or [`ABSENT`](crate::ABSENT).
/// [`ProxyPairs`](crate::ProxyPairs) makes it from labels.
///
/// Domain: α > 0, δ finite; reduction mean, no weights.
/// Source: Kim et al., "Proxy anchor loss for deep metric learning" (CVPR 2020), eq. 4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProxyAnchor {
    /// α, sharpness.
    pub alpha: f64,
    /// δ, margin in cosine on both sides.
    pub margin: f64,
}

impl Default for ProxyAnchor {
    fn default() -> Self {
        ProxyAnchor {
            alpha: 32.0,
            margin: 0.1,
        }
    }
}

impl Described for ProxyAnchor {
    const ABOUT: About = About {
        title: "Proxy-Anchor loss, of a class",
        formula: "w·log(1 + Σ_p e^{−α(s_p − δ)}) + log(1 + Σ_n e^{α(s_n + δ)})",
        parameters: &[
            Parameter {
                name: "alpha",
                domain: "> 0",
                meaning: "α, sharpness",
            },
            Parameter {
                name: "margin",
                domain: "finite",
                meaning: "δ, margin in cosine on both sides",
            },
        ],
        source: "Kim et al., Proxy anchor loss for deep metric learning (CVPR 2020)",
    };
}

impl Loss for ProxyAnchor {
    fn spec(&self) -> Spec {
        Spec {
            row_parameters: 1,
            ..spec("proxy_anchor")
        }
    }

    fn constants(&self) -> Vec<f64> {
        let (alpha, margin) = (self.alpha, self.margin);
        vec![alpha, -margin, alpha, margin, 0.0, 1.0]
    }

    fn check(&self, shape: &Shape) -> Result<()> {
        positive("proxy_anchor", "alpha", self.alpha)?;
        finite("proxy_anchor", "margin", self.margin)?;
        check_shape("proxy_anchor", shape)
    }

    fn wgsl(&self) -> &'static str {
        include_str!("../../shaders/losses/pair_sums.wgsl")
    }

    fn row_parameters(&self) -> Vec<RowParameter> {
        vec![RowParameter {
            name: "positive_weight",
            after: None,
            log: false,
            initial: 1.0,
            renewal: Renewal::Given,
        }]
    }

    #[inline(always)]
    fn target<R: Real>(&self, positive: PositiveScore<R>, p: &Parameters<R>) -> Target<R> {
        target(positive, p)
    }

    #[inline(always)]
    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        pair(entry, p)
    }

    #[inline(always)]
    fn row<R: Real>(&self, seen: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        row(seen, p)
    }
}
