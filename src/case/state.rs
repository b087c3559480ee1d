//! The numbers of a case that training changes beside the embeddings: θ, and those of batch rows.

use super::{document::Document, read::not_for};
use crate::{
    DynLoss, Real, Result,
    loss::{RowParameter, UNSET},
};
use serde_json::{Map, Value};

/// The names of a loss's θ, and the field that holds them.
pub(super) struct Names {
    /// The scalars' names.
    pub(super) all: Vec<&'static str>,
    /// Whether it is `bias`, for a loss that learns one scalar, and not the object `state`.
    pub(super) bias: bool,
}

impl Names {
    pub(super) fn of(loss: &dyn DynLoss) -> Self {
        let all: Vec<&str> = loss.scalars().iter().map(|scalar| scalar.name).collect();
        let bias = all.len() == 1 && !loss.spec().theta_state;
        Names { all, bias }
    }

    pub(super) fn state(&self) -> bool {
        !self.all.is_empty() && !self.bias
    }
}

/// θ: the field `bias` for a loss that learns one scalar, else the object `state` with one number
/// per scalar.
pub(super) fn theta(document: &mut Document<'_>, loss: &dyn DynLoss) -> Result<Vec<f64>> {
    let names = Names::of(loss);
    for (field, takes) in [("bias", names.bias), ("state", names.state())] {
        if document.has(field) && !takes {
            return Err(not_for(document, field, loss));
        }
    }
    let (field, theta) = match names.bias {
        true => ("bias", document.read("bias")?.map(|bias| vec![bias])),
        false if names.all.is_empty() => return Ok(Vec::new()),
        false => ("state", numbers(document, "state", &names.all)?),
    };
    theta.ok_or_else(|| document.error(field, "is missing"))
}

/// The object `field`, with one number per name, in their order.
pub(super) fn numbers(
    document: &mut Document<'_>,
    field: &str,
    names: &[&str],
) -> Result<Option<Vec<f64>>> {
    let Some(object) = document.read::<Map<String, Value>>(field)? else {
        return Ok(None);
    };
    if let Some(unknown) = object.keys().find(|key| !names.contains(&key.as_str())) {
        let message = format!("unknown `{unknown}`, expected {}", names.join(", "));
        return Err(document.error(field, message));
    }
    let number = |name: &&str| {
        let found = object.get(*name).and_then(Value::as_f64);
        found.ok_or_else(|| document.error(field, format!("`{name}`: expected a number")))
    };
    names.iter().map(number).collect::<Result<_>>().map(Some)
}

/// The numbers per batch row, row by row.
pub(super) fn rows(
    document: &mut Document<'_>,
    loss: &dyn DynLoss,
    rows: usize,
) -> Result<Vec<f64>> {
    let parameters = loss.row_parameters();
    let mut all = vec![0.0; rows * parameters.len()];
    for (place, parameter) in parameters.iter().enumerate() {
        let Some(given) = read(document, parameter.name, parameter, rows)? else {
            return Err(document.error(parameter.name, "is missing"));
        };
        let places = all.iter_mut().skip(place).step_by(parameters.len());
        places.zip(given).for_each(|(to, from)| *to = from);
    }
    Ok(all)
}

/// A list of one row parameter, by row; its logarithms where the file holds exponentials.
pub(super) fn read(
    document: &mut Document<'_>,
    field: &str,
    parameter: &RowParameter,
    rows: usize,
) -> Result<Option<Vec<f64>>> {
    let Some(mut numbers) = document.read::<Vec<f64>>(field)? else {
        return Ok(None);
    };
    if numbers.len() != rows {
        let message = format!(
            "expected {rows} numbers, one per row, got {}",
            numbers.len()
        );
        return Err(document.error(field, message));
    }
    if parameter.log {
        for number in &mut numbers {
            if *number < 0.0 {
                let message = format!("expected 0 (for none yet) or more, got {number}");
                return Err(document.error(field, message));
            }
            *number = number.ln().max(UNSET);
        }
    }
    Ok(Some(numbers))
}

/// What the evaluation made of the row parameters: the lists that case files have, by name.
pub(super) fn after<R: Real>(
    parameters: &[RowParameter],
    output: &[R],
) -> Vec<(&'static str, Vec<R>)> {
    let list = |(place, parameter): (usize, &RowParameter)| {
        let numbers = output.iter().skip(place).step_by(parameters.len());
        let shown = |x: &R| if parameter.log { x.exp() } else { *x };
        Some((parameter.after?, numbers.map(shown).collect()))
    };
    parameters.iter().enumerate().filter_map(list).collect()
}
