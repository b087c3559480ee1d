//! Losses with state, whose every part moves the value: no published ones.

use wgloss::{
    Loss, MAX_ROW_PARAMETERS, Real, Result, Shape,
    loss::{
        Entry, Pair, Parameters, PositiveScore, Renewal, Row, RowLoss, RowParameter, Scalar, Score,
        SecondTile, Spec, Target, UNSET,
    },
};

/// Factor on cosines.
const SCALE: f64 = 4.0;

fn scaled<R: Real>(score: R) -> Pair<R> {
    let scale = R::from_f64(SCALE);
    Pair {
        value: scale * score,
        score_slope: scale,
        target_slope: R::ZERO,
    }
}

/// The softmax loss with three scalars: θ₀ descends to −1 but is held at 0, θ₁ ascends steadily up to
/// a bound that depends on θ₀, θ₂ depends on the data.
#[derive(Clone, Debug)]
pub struct Learning;

impl Learning {
    pub const INITIAL: [f64; 3] = [0.5, -1.0, 0.25];
    /// Of θ₁.
    pub const SLOPE: f64 = 0.5;
}

impl Loss for Learning {
    fn spec(&self) -> Spec {
        Spec {
            thetas: 3,
            ..Spec::log_sum_exp("learning", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![SCALE, Self::SLOPE]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        "fn loss_pair(entry: Entry) -> Pair {
            return Pair(loss_constant(0u) * entry.score, loss_constant(0u), 0.0);
        }
        fn loss_row(row: Row) -> RowLoss {
            let slope = loss_theta(2u) - loss_constant(0u);
            let first = loss_theta(0u) + 1.0;
            let own = 0.5 * loss_theta(2u) * loss_theta(2u) + loss_constant(1u) * loss_theta(1u);
            return RowLoss(row.sum + slope * row.target_value + first * first + own, 1.0, slope);
        }
        fn loss_pair_theta(k: u32, entry: Entry) -> f32 {
            return 0.0;
        }
        fn loss_row_theta(k: u32, row: Row) -> f32 {
            if k == 0u {
                return 2.0 * (loss_theta(0u) + 1.0);
            }
            if k == 1u {
                return loss_constant(1u);
            }
            return row.target_value + loss_theta(2u);
        }
        fn loss_theta_bounds(k: u32) -> vec2<f32> {
            if k == 0u {
                return vec2<f32>(0.0, 10.0);
            }
            if k == 1u {
                return vec2<f32>(-5.0, 1.0 + loss_theta(0u));
            }
            return vec2<f32>(-1e30, 1e30);
        }"
    }

    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        scaled(entry.score)
    }

    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let [first, second, third, ..] = p.theta;
        let slope = third - p.constants[0];
        let first = first + R::ONE;
        let own = R::from_f64(0.5) * third * third + p.constants[1] * second;
        RowLoss {
            value: row.sum + slope * row.target + first * first + own,
            sum_slope: R::ONE,
            target_slope: slope,
        }
    }

    fn row_theta<R: Real>(&self, k: usize, row: Row<R>, p: &Parameters<R>) -> R {
        match k {
            0 => R::from_f64(2.0) * (p.theta[0] + R::ONE),
            1 => p.constants[1],
            _ => row.target + p.theta[2],
        }
    }

    fn scalars(&self) -> Vec<Scalar> {
        let scalar = |(name, initial, rate)| Scalar {
            name,
            initial,
            rate,
        };
        let [first, second, third] = Self::INITIAL;
        let scalars = [
            ("first", first, 1.0),
            ("second", second, -2.0),
            ("third", third, 1.0),
        ];
        scalars.map(scalar).to_vec()
    }

    fn theta_bounds<R: Real>(&self, k: usize, p: &Parameters<R>) -> [R; 2] {
        match k {
            0 => [R::ZERO, R::from_f64(10.0)],
            1 => [R::from_f64(-5.0), R::ONE + p.theta[0]],
            _ => [-1e30, 1e30].map(R::from_f64),
        }
    }
}

/// The softmax loss, with a running mean of each user's log-sum, and the positive weighed by the
/// user's K-th largest score.
#[derive(Clone, Debug)]
pub struct Remembering {
    pub k: usize,
}

impl Loss for Remembering {
    fn spec(&self) -> Spec {
        Spec {
            row_parameters: 2,
            row_state: true,
            ..Spec::log_sum_exp("remembering", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![SCALE]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        "fn loss_pair(entry: Entry) -> Pair {
            return Pair(loss_constant(0u) * entry.score, loss_constant(0u), 0.0);
        }
        fn mean_after(row: Row) -> f32 {
            return select(0.5 * (row.row.x + row.sum), row.sum, row.row.x < -1e29);
        }
        fn loss_row(row: Row) -> RowLoss {
            let slope = -loss_constant(0u) * (1.0 + row.row.y);
            let share = 1.0 / (1.0 + mean_after(row) * mean_after(row));
            return RowLoss(row.sum * share + slope * row.target_value, share, slope);
        }
        fn loss_row_state(row: Row) -> vec2<f32> {
            return vec2<f32>(mean_after(row), row.row.y);
        }"
    }

    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        scaled(entry.score)
    }

    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let slope = -p.constants[0] * (R::ONE + row.row[1]);
        let mean = self.row_state(row, p)[0];
        let share = R::ONE / (R::ONE + mean * mean);
        RowLoss {
            value: row.sum * share + slope * row.target,
            sum_slope: share,
            target_slope: slope,
        }
    }

    fn row_state<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> [R; MAX_ROW_PARAMETERS] {
        let mean = if row.row[0] < R::from_f64(-1e29) {
            row.sum
        } else {
            R::from_f64(0.5) * (row.row[0] + row.sum)
        };
        [mean, row.row[1]]
    }

    fn row_parameters(&self) -> Vec<RowParameter> {
        let parameter = |(name, after, initial, renewal)| RowParameter {
            name,
            after,
            log: false,
            initial,
            renewal,
        };
        let largest = Renewal::KthLargest(self.k);
        let parameters = [
            ("mean", Some("mean_after"), UNSET, Renewal::Step),
            ("quantile", None, 0.0, largest),
        ];
        parameters.map(parameter).to_vec()
    }
}

/// The softmax loss of what scores are above those of a reference model.
#[derive(Clone, Debug)]
pub struct Referring;

impl Loss for Referring {
    fn spec(&self) -> Spec {
        Spec {
            second: Some(SecondTile {
                score: Score::Cosine,
                log_sum: false,
                frozen: true,
            }),
            ..Spec::log_sum_exp("referring", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![SCALE]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        "fn loss_target(positive: PositiveScore) -> Target {
            return Target(positive.score - positive.second, 1.0, 0.0, 0.0);
        }
        fn loss_pair(entry: Entry) -> Pair {
            let scale = loss_constant(0u);
            return Pair(scale * (entry.score - entry.second), scale, 0.0);
        }
        fn loss_row(row: Row) -> RowLoss {
            let scale = loss_constant(0u);
            let gap = row.sum - scale * row.target_value;
            let share = sigmoid(gap);
            return RowLoss(softplus(gap), share, -share * scale);
        }"
    }

    fn target<R: Real>(&self, positive: PositiveScore<R>, _p: &Parameters<R>) -> Target<R> {
        Target {
            value: positive.score - positive.second,
            slope: R::ONE,
            norm_slope: R::ZERO,
            row_constant: R::ZERO,
        }
    }

    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        scaled(entry.score - entry.second)
    }

    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        let scale = p.constants[0];
        let gap = row.sum - scale * row.target;
        let share = gap.sigmoid();
        RowLoss {
            value: gap.softplus(),
            sum_slope: share,
            target_slope: -(share * scale),
        }
    }
}

/// Asks for what no data set has, or for other negatives.
#[derive(Clone, Debug)]
pub struct Demanding {
    pub entries: bool,
    pub ranks: bool,
}

impl Loss for Demanding {
    fn spec(&self) -> Spec {
        Spec {
            entry_constants: self.entries,
            ranks: self.ranks,
            ..Spec::log_sum_exp("demanding", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![SCALE]
    }

    fn check(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        Referring.wgsl()
    }

    fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
        scaled(entry.score)
    }

    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        Referring.row(row, p)
    }
}
