//! Checks of parameters: bad ones are refused by name before anything is computed.

use crate::{Error, Result, Shape, shape::ReductionKind};

fn refuse<T>(
    loss: &'static str,
    parameter: &'static str,
    value: impl ToString,
    domain: &str,
) -> Result<T> {
    Err(Error::Domain {
        loss,
        parameter,
        value: value.to_string(),
        domain: format!("expected {domain}"),
    })
}

/// Checks that a parameter is a positive number that f32 holds, and so its reciprocal.
pub(crate) fn positive(loss: &'static str, parameter: &'static str, value: f64) -> Result<()> {
    let (least, most) = (f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX));
    if (least..=most).contains(&value) {
        return Ok(());
    }
    if value > 0.0 && value.is_finite() {
        let domain = format!("a number from {least:.0e} to {most:.0e}, which f32 holds");
        return refuse(loss, parameter, value, &domain);
    }
    refuse(loss, parameter, value, "a finite number above 0")
}

/// Checks that a parameter is a number that f32 holds.
pub(crate) fn finite(loss: &'static str, parameter: &'static str, value: f64) -> Result<()> {
    if value.abs() <= f64::from(f32::MAX) {
        return Ok(());
    }
    refuse(loss, parameter, value, "a finite number, which f32 holds")
}

/// Checks that a parameter lies in a range.
pub(crate) fn within(
    loss: &'static str,
    parameter: &'static str,
    value: f64,
    range: std::ops::RangeInclusive<f64>,
) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    let domain = format!("a number from {} to {}", range.start(), range.end());
    refuse(loss, parameter, value, &domain)
}

/// Checks that a parameter is an angle that may be added: radians, 0 ≤ m < π.
pub(crate) fn angle(loss: &'static str, parameter: &'static str, value: f64) -> Result<()> {
    if (0.0..std::f64::consts::PI).contains(&value) {
        return Ok(());
    }
    refuse(
        loss,
        parameter,
        value,
        "an angle in radians, at least 0 and below π",
    )
}

/// Checks that a parameter is a part of a whole: above 0, at most 1.
pub(crate) fn share(loss: &'static str, parameter: &'static str, value: f64) -> Result<()> {
    if value <= 1.0 && value >= f64::from(f32::MIN_POSITIVE) {
        return Ok(());
    }
    refuse(loss, parameter, value, "a number above 0, at most 1")
}

/// Checks that a parameter is a length of a list: K ≥ 1.
pub(crate) fn length(loss: &'static str, parameter: &'static str, value: usize) -> Result<()> {
    // Larger ones are no f32.
    if (1..=1 << 24).contains(&value) {
        return Ok(());
    }
    refuse(
        loss,
        parameter,
        value,
        "a whole number from 1 to 16,777,216",
    )
}

/// Checks that a batch has the one value that the loss is defined for.
pub(crate) fn mean_alone(loss: &'static str, shape: &Shape) -> Result<()> {
    if shape.reduction == ReductionKind::Mean && !shape.weights {
        return Ok(());
    }
    Err(Error::Unsupported(format!(
        "{loss}: one value per batch takes reduction `mean` and no weights"
    )))
}
