//! The K-th largest score of every user, for losses that read it.

use super::{Embeddings, Interactions, LossState};
use crate::{DynLoss, Error, Result};

/// Puts the K-th largest scaled score of every user with training items, over all items, into the
/// place of each number per user that the loss has for it. Other users keep what they have.
pub(super) fn renew(
    loss: &dyn DynLoss,
    model: &Embeddings,
    train: &Interactions,
    query_parameters: &mut [f64],
) -> Result<()> {
    let per_user = loss.spec().row_parameters;
    let users: Vec<u32> = (0u32..)
        .zip(train.offsets().windows(2))
        .filter(|(_, bounds)| bounds[0] < bounds[1])
        .map(|(user, _)| user)
        .collect();
    for (at, k) in LossState::quantiles(loss) {
        let scores = kth_largest(loss, model, &users, k)?;
        for (&user, score) in users.iter().zip(scores) {
            query_parameters[user as usize * per_user + at] = score;
        }
    }
    Ok(())
}

/// The K-th largest scaled score of each of `users`.
fn kth_largest(
    loss: &dyn DynLoss,
    model: &Embeddings,
    users: &[u32],
    k: usize,
) -> Result<Vec<f64>> {
    let spec = loss.spec();
    let lists = model.top_k_of(users, spec.score, k, None)?;
    (0..users.len())
        .map(|list| match lists.scores(list).get(k - 1) {
            Some(&score) => Ok(f64::from(score) * spec.score_scale),
            None => Err(Error::Shape {
                argument: "k",
                expected: format!("at most {}, the number of items", model.items()),
                actual: k.to_string(),
            }),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{
        Entry, Loss, Pair, Parameters, Renewal, Row, RowLoss, RowParameter, Score, Spec,
    };
    use crate::{Real, Shape};

    /// Reads a user's second largest score, at half scale.
    #[derive(Clone, Debug)]
    struct SecondLargest(Score);

    impl Loss for SecondLargest {
        fn spec(&self) -> Spec {
            Spec {
                row_parameters: 2,
                ..Spec::log_sum_exp("second_largest", self.0, 0.5)
            }
        }
        fn constants(&self) -> Vec<f64> {
            Vec::new()
        }
        fn check(&self, _shape: &Shape) -> Result<()> {
            Ok(())
        }
        fn wgsl(&self) -> &'static str {
            ""
        }
        fn row_parameters(&self) -> Vec<RowParameter> {
            let parameter = |renewal| RowParameter {
                name: "quantile",
                after: None,
                log: false,
                initial: 0.0,
                renewal,
            };
            vec![parameter(Renewal::Given), parameter(Renewal::KthLargest(2))]
        }
        fn pair<R: Real>(&self, entry: Entry<R>, _p: &Parameters<R>) -> Pair<R> {
            Pair {
                value: entry.score,
                score_slope: R::ONE,
                target_slope: R::ZERO,
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

    #[test]
    fn the_kth_largest_is_of_all_items_and_for_users_with_items() {
        let model = Embeddings {
            dim: 2,
            queries: vec![2.0, 0.0, 0.0, 1.0, 0.0, 3.0],
            candidates: vec![3.0, 0.0, 1.0, 1.0, -1.0, 0.0],
        };
        // User 1 has no items; what users have is among the scores.
        let train = Interactions::from_lists(3, &[vec![0], vec![], vec![1, 2]]).unwrap();
        let renewed = |score| {
            let mut numbers = vec![7.0; 6];
            renew(&SecondLargest(score), &model, &train, &mut numbers).unwrap();
            numbers
        };
        // Scores of user 0: 6, 2, −2; of user 2: 0, 3, 0. Cosines: 1, √½, −1 and 0, √½, 0.
        assert_eq!(renewed(Score::Dot), [7.0, 1.0, 7.0, 7.0, 7.0, 0.0]);
        let cosines = renewed(Score::Cosine);
        assert!(
            (cosines[1] - 0.5 * 0.5f64.sqrt()).abs() < 1e-7,
            "{cosines:?}"
        );
        assert_eq!(cosines[5], 0.0);
    }
}
