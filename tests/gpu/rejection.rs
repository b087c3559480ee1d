//! The comparison rejects a wrong loss.

use crate::{
    case::Case,
    device::{context, objections, run},
};
use wgloss::{
    DynLoss, Loss, Real, Result, Shape,
    loss::{Entry, Pair, Parameters, Row, RowLoss, Sl, Spec},
};

/// SL with a slope that is 1 % off in WGSL alone.
#[derive(Clone, Debug)]
struct Wrong(Sl);

impl Loss for Wrong {
    fn spec(&self) -> Spec {
        Loss::spec(&self.0)
    }

    fn constants(&self) -> Vec<f64> {
        Loss::constants(&self.0)
    }

    fn check(&self, shape: &Shape) -> Result<()> {
        Loss::check(&self.0, shape)
    }

    fn wgsl(&self) -> &'static str {
        "fn loss_pair(entry: Entry) -> Pair {
            let inverse_tau = loss_constant(0u);
            return Pair(entry.score * inverse_tau, inverse_tau * 1.01, 0.0);
        }
        fn loss_row(row: Row) -> RowLoss {
            let inverse_tau = loss_constant(0u);
            return RowLoss(row.sum - row.target_value * inverse_tau, 1.0, -inverse_tau);
        }"
    }

    fn pair<R: Real>(&self, entry: Entry<R>, p: &Parameters<R>) -> Pair<R> {
        self.0.pair(entry, p)
    }

    fn row<R: Real>(&self, row: Row<R>, p: &Parameters<R>) -> RowLoss<R> {
        self.0.row(row, p)
    }
}

pub fn a_wrong_loss_is_rejected() {
    let case = Case::new([37, 101, 17]);
    let batch = case.batch();
    let judged = |loss: &dyn DynLoss| {
        objections(loss, &batch, &run(context(), loss, &batch), "a wrong slope")
    };
    assert_eq!(judged(&Sl::new(0.2)), Vec::<String>::new());
    let objections = judged(&Wrong(Sl::new(0.2)));
    let named = |name: &str| objections.iter().any(|line| line.contains(name));
    assert!(
        named("grad_queries") && named("grad_candidates"),
        "{objections:?}"
    );
    assert!(!named("row_values"), "{objections:?}");
}
