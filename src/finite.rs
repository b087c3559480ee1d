//! Finite inputs can still overflow on the way (a dot product of huge vectors): that is an error,
//! not a NaN that the caller finds an epoch later.

use crate::{Error, Output, Real, Result};
use rayon::prelude::*;

/// Numbers looked at by one task: enough to be worth one, few enough to be in cache twice.
const PIECE: usize = 1 << 15;

/// An error that names the argument and the first number that is not finite, if there is one.
pub(crate) fn check_finite<R: Real>(argument: &'static str, numbers: &[R]) -> Result<()> {
    let bad = |(_, piece): &(usize, &[R])| !piece.iter().fold(true, |all, x| all & x.is_finite());
    let pieces = numbers.par_chunks(PIECE).enumerate();
    let Some((place, piece)) = pieces.find_first(bad) else {
        return Ok(());
    };
    let within = piece.iter().position(|x| !x.is_finite()).unwrap_or(0);
    Err(Error::NotFinite {
        argument,
        at: place * PIECE + within,
        value: piece[within].to_f64(),
    })
}

impl<R: Real> Output<R> {
    /// An error that names the first result that is not finite. Statistics may be infinite: the
    /// log-sum over no column is.
    pub(crate) fn check_finite(&self) -> Result<()> {
        check_finite("value", &[self.value])?;
        check_finite("row_losses", &self.row_losses)?;
        for (argument, gradient) in [
            ("grad_queries", &self.grad_queries),
            ("grad_candidates", &self.grad_candidates),
            ("grad_second_queries", &self.grad_second_queries),
            ("grad_second_candidates", &self.grad_second_candidates),
            ("grad_column_parameters", &self.grad_column_parameters),
            ("grad_positive_scores", &self.grad_positive_scores),
            ("grad_column_scores", &self.grad_column_scores),
            ("row_parameters_after", &self.row_parameters_after),
            ("theta_after", &self.theta_after),
        ] {
            check_finite(argument, gradient.as_deref().unwrap_or(&[]))?;
        }
        check_finite("grad_theta", &self.grad_theta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_many_is_named() {
        let mut numbers = vec![1.0_f32; 5 * PIECE + 3];
        assert!(check_finite("x", &numbers).is_ok());
        for (at, value) in [
            (5 * PIECE + 2, f32::NAN),
            (3 * PIECE, f32::INFINITY),
            (3 * PIECE - 1, f32::NEG_INFINITY),
            (0, f32::NAN),
        ] {
            numbers[at] = value;
            let Err(Error::NotFinite {
                argument,
                at: found,
                value: named,
            }) = check_finite("x", &numbers)
            else {
                panic!("{value} at {at} went unnoticed");
            };
            assert_eq!((argument, found), ("x", at));
            assert_eq!(named.to_bits(), f64::from(value).to_bits());
        }
    }

    #[test]
    fn every_result_is_looked_at() {
        let good = || Output {
            value: 1.0_f32,
            row_losses: vec![1.0],
            grad_queries: Some(vec![1.0]),
            grad_candidates: Some(vec![1.0]),
            grad_theta: vec![1.0],
            ..Output::default()
        };
        assert!(good().check_finite().is_ok());
        type Spoil = fn(&mut Output<f32>);
        let spoils: [(&str, Spoil); 10] = [
            ("value", |o| o.value = f32::NAN),
            ("row_losses", |o| o.row_losses[0] = f32::NAN),
            ("grad_queries", |o| o.grad_queries = Some(vec![f32::NAN])),
            ("grad_candidates", |o| {
                o.grad_candidates = Some(vec![f32::INFINITY]);
            }),
            ("grad_second_queries", |o| {
                o.grad_second_queries = Some(vec![f32::NAN]);
            }),
            ("grad_second_candidates", |o| {
                o.grad_second_candidates = Some(vec![f32::NAN]);
            }),
            ("grad_column_parameters", |o| {
                o.grad_column_parameters = Some(vec![f32::NAN]);
            }),
            ("grad_positive_scores", |o| {
                o.grad_positive_scores = Some(vec![f32::NAN]);
            }),
            ("grad_column_scores", |o| {
                o.grad_column_scores = Some(vec![f32::NAN]);
            }),
            ("grad_theta", |o| o.grad_theta[0] = f32::NAN),
        ];
        for (name, spoil) in spoils {
            let mut output = good();
            spoil(&mut output);
            let error = output.check_finite().expect_err(name);
            assert!(
                matches!(error, Error::NotFinite { argument, .. } if argument == name),
                "{name}: {error}"
            );
        }
    }
}
