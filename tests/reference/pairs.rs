//! The losses written down from their definitions, one pair at a time.

use crate::tape::{Tape, Var, log_sum_exp, sum};
use wgloss::{
    AnyLoss,
    loss::{Activation, Bsl, BslForm, Discount, Llpauc, LowerShare, Psl, UNSET},
};

/// One pair with the scores of its row.
pub struct Seen<'t> {
    pub tape: &'t Tape,
    pub positive: Var<'t>,
    /// The positives' scores of all pairs of the same query.
    pub group: Vec<Var<'t>>,
    pub columns: Vec<Var<'t>>,
    /// log q of the columns, and of the positive.
    pub log_q: Vec<f64>,
    pub own_log_q: f64,
    /// Scores of the columns by the second tables.
    pub second: Vec<f64>,
    pub theta: Vec<Var<'t>>,
    /// The row's parameters.
    pub row: Vec<f64>,
    /// Positives' scores and last row parameters of all pairs.
    pub batch: Vec<(f64, f64)>,
    /// Ranks of the columns, and of the positive.
    pub ranks: Vec<f64>,
    pub own_rank: f64,
    /// ‖q‖, and those of all pairs.
    pub norm: Var<'t>,
    pub norms: Vec<f64>,
    /// The mean score of all pairs with the candidates that are not their positive, and how many
    /// those are.
    pub negative_mean: f64,
    pub others: usize,
}

impl<'t> Seen<'t> {
    /// `ln Σ_j e^{f(s_j) − log q_j}`; `None` when nothing is in the sum.
    pub fn log_sum(&self, f: impl Fn(Var<'t>) -> Option<Var<'t>>) -> Option<Var<'t>> {
        let columns = self.columns.iter().zip(&self.log_q);
        let terms: Vec<_> = columns
            .filter_map(|(&score, log_q)| Some(f(score)? + -log_q))
            .collect();
        (!terms.is_empty()).then(|| log_sum_exp(self.tape, &terms))
    }

    /// The same over s/τ.
    fn log_sum_at(&self, tau: f64) -> Option<Var<'t>> {
        self.log_sum(|score| Some(score * (1.0 / tau)))
    }

    /// The same as a mean.
    fn log_mean_at(&self, tau: f64) -> Option<Var<'t>> {
        Some(self.log_sum_at(tau)? + -(self.columns.len() as f64).ln())
    }

    /// ln mean e^{s⁺/τ} over the group.
    fn pooled(&self, tau: f64) -> Var<'t> {
        let terms: Vec<_> = self.group.iter().map(|&s| s * (1.0 / tau)).collect();
        log_sum_exp(self.tape, &terms) + -(terms.len() as f64).ln()
    }

    /// −ln(e^own / (e^own + e^rest)).
    pub fn with_own(&self, own: Var<'t>, rest: Var<'t>) -> Var<'t> {
        let own = own + -self.own_log_q;
        log_sum_exp(self.tape, &[own, rest]) - own
    }

    /// The loss; `None` where nothing is in a log-sum.
    pub fn loss(&self, loss: &AnyLoss) -> Option<Var<'t>> {
        let positive = self.positive;
        match loss {
            AnyLoss::Sl(sl) => {
                let (own, rest) = (positive * (1.0 / sl.tau), self.log_sum_at(sl.tau)?);
                Some(if sl.positive_in_sum {
                    self.with_own(own, rest)
                } else {
                    rest - own
                })
            }
            AnyLoss::InfoNce(nce) => {
                Some(self.with_own(positive * (1.0 / nce.tau), self.log_sum_at(nce.tau)?))
            }
            AnyLoss::Psl(psl) => self.psl(psl),
            AnyLoss::Bsl(bsl) => self.bsl(bsl),
            AnyLoss::AdvInfoNce(adv) => {
                let total: f64 = self.second.iter().map(|r| r.exp()).sum();
                let count = self.columns.len() as f64;
                let terms = self.columns.iter().zip(&self.log_q).zip(&self.second);
                let terms = terms.map(|((&s, log_q), r)| {
                    let hardness = adv.neg_weight * count * r.exp() / total;
                    s * (1.0 / adv.tau) + (hardness.ln() - log_q)
                });
                let terms: Vec<_> = terms.collect();
                let own = positive * (1.0 / adv.tau);
                (!terms.is_empty()).then(|| self.with_own(own, log_sum_exp(self.tape, &terms)))
            }
            AnyLoss::Uss(uss) => {
                let bias = self.theta[0];
                let own = (bias - (positive + -uss.margin) * uss.scale).softplus();
                let others = self.columns.iter();
                let others = others.map(|&s| (s * uss.scale - bias).softplus());
                Some(own + sum(self.tape, others))
            }
            AnyLoss::ScaledInfoNce(_) => {
                let scale = self.theta[0].exp();
                let rest = self.log_sum(|score| Some(score * scale))?;
                Some(self.with_own(positive * scale, rest))
            }
            AnyLoss::SlAtK(at_k) => {
                let softmax = self.log_sum_at(at_k.tau)? - positive * (1.0 / at_k.tau);
                let lead = (positive + -self.row[0]) * (1.0 / at_k.tau_w);
                Some(self.sigmoid(lead) * softmax)
            }
            AnyLoss::SogClr(sog) => {
                let ratio = self.ratio(sog.tau, sog.gamma)?;
                Some(ratio - positive * (1.0 / sog.tau))
            }
            AnyLoss::SogSlAtK(sog) => {
                let ratio = self.ratio(sog.tau, sog.gamma)?;
                let weight = |(score, quantile): &(f64, f64)| {
                    1.0 / (1.0 + (-(score - quantile) / sog.tau_w).exp())
                };
                let all: f64 = self.batch.iter().map(weight).sum();
                let share = weight(&(positive.value, self.row[1])) / all;
                let share = share * self.batch.len() as f64;
                Some(ratio - positive * (share / sog.tau))
            }
            AnyLoss::SDpo(dpo) => {
                let gaps = self.log_sum(|score| Some((score - positive) * dpo.beta))?;
                Some((gaps + self.own_log_q).softplus())
            }
            _ => match self.angular(loss) {
                Some(angular) => angular,
                None => Some(self.summed(loss)),
            },
        }
    }

    fn psl(&self, psl: &Psl) -> Option<Var<'t>> {
        let term = |d: Var<'t>| {
            let log_sigma = match psl.activation {
                Activation::Tanh => (d.tanh() + 1.0).ln(),
                Activation::Atan => (d.atan() + 1.0).ln(),
                Activation::Relu if d.value <= -1.0 => return None,
                Activation::Relu => (d + 1.0).ln(),
                Activation::Softplus => (d.exp() + 1.0).ln(),
                Activation::Exp => d,
            };
            Some(log_sigma * (1.0 / psl.tau))
        };
        let rest = self.log_sum(|score| term(score - self.positive))?;
        if !psl.positive_in_sum {
            return Some(rest);
        }
        let own = term(self.tape.var(0.0))? + -self.own_log_q;
        Some(log_sum_exp(self.tape, &[own, rest]) + self.own_log_q)
    }

    fn bsl(&self, bsl: &Bsl) -> Option<Var<'t>> {
        let positive = self.positive;
        Some(match bsl.form {
            BslForm::IrBenchmark { tau1, tau2 } => {
                self.log_sum_at(tau2)? * (tau2 / tau1) - positive * (1.0 / tau1)
            }
            BslForm::Reweight { tau, exponent } => {
                self.log_sum_at(tau)? * exponent - positive * (1.0 / tau)
            }
            BslForm::Single { tau, .. } => self.log_mean_at(tau)? - positive * (1.0 / tau),
            BslForm::Multi { tau, exponent } => {
                self.log_mean_at(tau)? * exponent - self.pooled(tau)
            }
            BslForm::Published { tau1, tau2 } => {
                self.log_mean_at(tau2)? * tau2 - self.pooled(tau1) * tau1
            }
        })
    }

    /// The losses that sum over columns, and are there also where there is none.
    fn summed(&self, loss: &AnyLoss) -> Var<'t> {
        let total = |f: &dyn Fn(Var<'t>) -> Var<'t>| {
            sum(self.tape, self.columns.iter().map(|&score| f(score)))
        };
        let count = self.columns.len() as f64;
        let mean = |wanted: bool| if wanted { 1.0 / count.max(1.0) } else { 1.0 };
        let positive = self.positive;
        let own = (-positive).softplus();
        match loss {
            AnyLoss::Bce(bce) => {
                total(&Var::softplus) * (bce.neg_weight * mean(bce.column_mean)) + own
            }
            AnyLoss::Gbce(gbce) => {
                let alpha = gbce.sampling_rate;
                let beta = alpha * (gbce.calibration * (1.0 - 1.0 / alpha) + 1.0 / alpha);
                (total(&Var::softplus) + own * beta) * (1.0 / (count + 1.0))
            }
            AnyLoss::GuidedRec(_) => total(&Var::softplus) + own * count,
            AnyLoss::Mse(mse) => {
                let gap = positive + -1.0;
                total(&|s| s * s) * (mse.neg_weight * mean(mse.column_mean)) + gap * gap
            }
            AnyLoss::Bpr(bpr) => total(&|s| (s - positive).softplus()) * mean(bpr.column_mean),
            AnyLoss::Ccl(ccl) => {
                let above = |s: Var<'t>| match s.value > ccl.margin {
                    true => s + -ccl.margin,
                    false => s * 0.0,
                };
                total(&above) * (ccl.neg_weight * mean(true)) + (-positive + 1.0)
            }
            AnyLoss::Llpauc(llpauc) => self.llpauc(llpauc),
            AnyLoss::LambdaRank(_) => self
                .swaps(|own, other| (1.0 / (1.0 + own).log2() - 1.0 / (1.0 + other).log2()).abs()),
            AnyLoss::LambdaLoss(lambda) => {
                self.swaps(|own, other| delta(lambda.discount, own, other))
            }
            AnyLoss::LambdaLossAtK(lambda) => self.swaps(|own, other| {
                let lower = own.max(other);
                let mu = match lambda.lower_share {
                    _ if lower <= lambda.k as f64 => 1.0,
                    LowerShare::Rank => 1.0 / (1.0 - 1.0 / lower),
                    LowerShare::Discount => 1.0 / (1.0 - 1.0 / (1.0 + lower).log2()),
                };
                mu * delta(lambda.discount, own, other)
            }),
            other => panic!("{other:?} is none of them"),
        }
    }

    /// ĝ/g, g the moving average and a constant.
    fn ratio(&self, tau: f64, gamma: f64) -> Option<Var<'t>> {
        let estimate = self.log_mean_at(tau)?;
        let now = estimate.value.exp();
        let average = match self.row[0] {
            UNSET => now,
            before => (1.0 - gamma) * before.exp() + gamma * now,
        };
        Some((estimate + -average.ln()).exp())
    }

    /// `Σ_j δ(π⁺, π_j) softplus(s_j − s⁺)`.
    fn swaps(&self, delta: impl Fn(f64, f64) -> f64) -> Var<'t> {
        let columns = self.columns.iter().zip(&self.ranks);
        let terms =
            columns.map(|(&s, &rank)| (s - self.positive).softplus() * delta(self.own_rank, rank));
        sum(self.tape, terms)
    }

    fn llpauc(&self, llpauc: &Llpauc) -> Var<'t> {
        let [a, b, s_pos, s_neg, gamma, theta_a, theta_b] = self.theta[..] else {
            panic!("seven scalars");
        };
        let hinge = |x: Var<'t>| (x * 5.0).softplus() * 0.2;
        let lift = (gamma + 1.0) * 2.0;
        let columns = self.columns.iter().map(|&score| {
            let q = self.sigmoid(score);
            hinge((q - b) * (q - b) + lift * q - s_neg)
        });
        let mean = 1.0 / (self.columns.len() as f64).max(1.0);
        let p = self.sigmoid(self.positive);
        let own = hinge(lift * p - (p - a) * (p - a) - s_pos);
        let penalties = theta_a * (a + gamma) + theta_b * (gamma + 1.0 - b);
        sum(self.tape, columns) * (mean / llpauc.beta) - own * (1.0 / llpauc.alpha) - s_pos + s_neg
            - gamma * gamma
            + penalties
    }

    fn sigmoid(&self, x: Var<'t>) -> Var<'t> {
        self.tape.var(1.0) / ((-x).exp() + 1.0)
    }
}

fn delta(discount: Discount, own: f64, other: f64) -> f64 {
    let distance = (own - other).abs().max(1.0);
    let near = 1.0 / (1.0 + distance).log2();
    match discount {
        Discount::Single => near,
        Discount::Difference => near - 1.0 / (2.0 + distance).log2(),
    }
}
