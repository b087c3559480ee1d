//! The one comparison of the tests.

/// Whether two lists of numbers agree: every difference is at most `tolerance` times the largest
/// expected magnitude, or times `floor` if that is larger. A NaN anywhere is a disagreement.
///
/// # Errors
/// What differs most, in words.
pub fn compare(
    what: &str,
    actual: &[f64],
    expected: &[f64],
    tolerance: f64,
    floor: f64,
) -> Result<(), String> {
    if actual.len() != expected.len() {
        return Err(format!(
            "{what}: {} numbers, not {}",
            actual.len(),
            expected.len()
        ));
    }
    let scale = expected.iter().fold(floor, |max, x| max.max(x.abs()));
    let limit = tolerance * scale;
    for (at, (a, e)) in actual.iter().zip(expected).enumerate() {
        let agrees = (a - e).abs() <= limit;
        if !agrees {
            return Err(format!(
                "{what}[{at}]: {a:e}, expected {e:e} within {limit:e}"
            ));
        }
    }
    Ok(())
}

/// As [`compare`], panicking.
///
/// # Panics
/// If the numbers disagree.
#[track_caller]
pub fn assert_close(what: &str, actual: &[f64], expected: &[f64], tolerance: f64, floor: f64) {
    if let Err(message) = compare(what, actual, expected, tolerance, floor) {
        panic!("{message}");
    }
}
