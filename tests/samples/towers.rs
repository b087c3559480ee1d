//! Symmetric InfoNCE of two towers.

use crate::{GPU, Rows, close, cosine, engine, log_sum_exp, narrow, rows, slopes};
use wgloss::{Device, Error, Matrix, SymmetricInfoNce, loss::ScaledInfoNce};

const LOG_SCALE: f64 = 1.5;

/// ½(CE over rows + CE over columns).
fn formula(left: &Rows, right: &Rows, log_scale: f64) -> f64 {
    let score = |i: usize, j: usize| log_scale.exp() * cosine(left[i], right[j]);
    let count = left.len();
    let of = |i: usize| {
        let row = log_sum_exp((0..count).map(|j| score(i, j)));
        let column = log_sum_exp((0..count).map(|j| score(j, i)));
        0.5 * (row + column) - score(i, i)
    };
    (0..count).map(of).sum::<f64>() / count as f64
}

#[test]
fn symmetric_info_nce_is_its_formula() {
    let (left, right) = (rows(6, 8), rows(6, 9));
    let value = formula(&left, &right, LOG_SCALE);
    let by_left = slopes(&left, |left| formula(left, &right, LOG_SCALE));
    let by_right = slopes(&right, |right| formula(&left, right, LOG_SCALE));
    let moved = |by: f64| formula(&left, &right, LOG_SCALE + by);
    let by_scale = (moved(1e-5) - moved(-1e-5)) / 2e-5;
    let [left, right] = [narrow(&left), narrow(&right)];
    let table = |numbers| Matrix::new("tower", numbers, 3).expect("rows of three");
    for engine in [&*GPU, &engine(Device::Cpu), &engine(Device::Reference)] {
        let loss = SymmetricInfoNce::default();
        let output = loss.evaluate(engine, table(&left[..]), table(&right[..]), LOG_SCALE);
        let output = output.unwrap_or_else(|error| panic!("{error}"));
        let what = format!("{}", engine.device());
        let wide = |numbers: &[f32]| numbers.iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
        // In f32, whose last place κ = e^1.5 magnifies.
        close(&what, &wide(&[output.value]), &[value], 2e-6);
        close(&what, &wide(&output.grad_left), &by_left, 2e-6);
        close(&what, &wide(&output.grad_right), &by_right, 2e-6);
        close(&what, &wide(&[output.grad_log_scale]), &[by_scale], 2e-6);
        assert_eq!(output.parts.iter().sum::<f32>(), output.value);
    }
}

#[test]
fn towers_that_do_not_fit_are_refused() {
    let (left, right) = (narrow(&rows(4, 1)), narrow(&rows(3, 2)));
    let table = |numbers| Matrix::new("tower", numbers, 3).expect("rows of three");
    let cpu = engine(Device::Cpu);
    let loss = SymmetricInfoNce::default();
    let error = loss.evaluate(&cpu, table(&left[..]), table(&right[..]), 1.0);
    assert!(matches!(
        error,
        Err(Error::Shape {
            argument: "right",
            ..
        })
    ));
    let error = loss.evaluate(&cpu, table(&left[..]), table(&left[..]), f64::NAN);
    assert!(matches!(
        error,
        Err(Error::NotFinite {
            argument: "theta",
            ..
        })
    ));
    let loss = SymmetricInfoNce {
        direction: ScaledInfoNce { tau: -1.0 },
    };
    let error = loss.evaluate(&cpu, table(&left[..]), table(&left[..]), 1.0);
    assert!(matches!(
        error,
        Err(Error::Domain {
            parameter: "tau",
            ..
        })
    ));
}
