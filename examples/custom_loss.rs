//! A loss from outside the crate: its scalar functions in Rust and in WGSL, nothing else. The
//! same problems that the crate's own losses are checked on show whether both say the same.
//!
//! `cargo run --release --example custom_loss`

use wgloss::{
    Device, Engine, EngineOptions, Error, Loss, Real, Result, Shape,
    check::{Problem, check},
    loss::{Entry, Pair, Parameters, Row, RowLoss, RowReduction, Score, Spec},
};

/// The smooth cosine hinge: `ℓ = Σ_j softplus(κ(s_j − s⁺ + m))/κ`, cosines s, margin m.
#[derive(Clone, Debug)]
struct CosineHinge {
    margin: f64,
    sharpness: f64,
}

impl Loss for CosineHinge {
    fn spec(&self) -> Spec {
        Spec {
            reduction: RowReduction::Sum,
            // z sees the positive's score.
            separable: false,
            ..Spec::log_sum_exp("cosine_hinge", Score::Cosine, 1.0)
        }
    }

    fn constants(&self) -> Vec<f64> {
        vec![self.sharpness, self.margin]
    }

    fn check(&self, shape: &Shape) -> Result<()> {
        if shape.log_q {
            return Err(Error::Unsupported("cosine_hinge takes no log_q".into()));
        }
        Ok(())
    }

    fn wgsl(&self) -> &'static str {
        "fn loss_pair(entry: Entry) -> Pair {
            let sharpness = loss_constant(0u);
            let x = sharpness * (entry.score - entry.target_value + loss_constant(1u));
            return Pair(softplus(x) / sharpness, sigmoid(x), -sigmoid(x));
        }
        fn loss_row(row: Row) -> RowLoss {
            return RowLoss(row.sum, 1.0, 0.0);
        }"
    }

    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        let [sharpness, margin, ..] = p.constants;
        let x = sharpness * (entry.score - entry.target + margin);
        Pair {
            value: x.softplus() / sharpness,
            score_slope: x.sigmoid(),
            target_slope: -x.sigmoid(),
        }
    }

    fn row<R: Real>(&self, row: Row<R>, _p: &Parameters<R>) -> RowLoss<R> {
        RowLoss {
            value: row.sum,
            sum_slope: R::ONE,
            target_slope: R::ZERO,
        }
    }
}

fn main() -> Result<()> {
    let loss = CosineHinge {
        margin: 0.3,
        sharpness: 8.0,
    };
    for device in [Device::Cpu, Device::Gpu] {
        let engine = match Engine::with_options(&EngineOptions::default().device(device)) {
            Err(Error::NoAdapter(why)) => {
                println!("no GPU: {why}");
                continue;
            }
            other => other?,
        };
        println!("on {}", engine.describe());
        for problem in Problem::all() {
            for verdict in check(&engine, &loss, &problem)?.into_iter().flatten() {
                assert!(verdict.passed(), "{}: {verdict:?}", problem.name());
            }
        }
    }
    println!("the CPU and the GPU agree with the reference");
    Ok(())
}
