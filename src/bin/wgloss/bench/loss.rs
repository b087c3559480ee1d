//! A loss in few words, as [`label`](crate::losses::label) writes it.

use crate::losses::parameters_of;
use serde_json::{Map, Value};
use wgloss::{AnyLoss, Error, Result, loss::registry};

/// Reads a name and `parameter=value` behind it.
pub fn parse(text: &str) -> Result<AnyLoss> {
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    let Some(about) = registry::about(name) else {
        return Err(Error::Unknown {
            what: "--loss".into(),
            kind: "loss",
            name: name.into(),
            valid: registry::NAMES.join(", "),
        });
    };
    let mut given = Map::from_iter([("loss".to_owned(), name.into())]);
    for word in words {
        let (parameter, text) = word.split_once('=').unwrap_or((word, ""));
        if !about.parameters.iter().any(|known| known.name == parameter) {
            let valid: Vec<&str> = about.parameters.iter().map(|known| known.name).collect();
            return Err(Error::Unknown {
                what: format!("--loss {name}"),
                kind: "parameter",
                name: parameter.into(),
                valid: valid.join(", "),
            });
        }
        given.insert(parameter.into(), value(text));
    }
    let mut fields = defaults(name)?;
    fields.extend(given.clone());
    let read = |fields| serde_json::from_value::<AnyLoss>(Value::Object(fields));
    // Another form than the default's may not have the parameters of that.
    read(fields)
        .or_else(|error| read(given).map_err(|_| error))
        .map_err(|error| Error::Unsupported(format!("--loss {text}: {error}")))
}

/// The loss without parameters of its own, as its JSON fields.
fn defaults(name: &str) -> Result<Map<String, Value>> {
    let losses = registry::all().into_iter();
    let mut named = losses.filter(|loss| loss.as_dyn().spec().name == name);
    named
        .next()
        .map_or_else(|| Ok(Map::new()), |loss| parameters_of(&loss))
}

/// Numbers, true and false as such; anything else is a name.
fn value(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::label;

    #[test]
    fn every_label_is_read_as_its_loss() {
        for loss in registry::variants() {
            let text = label(&loss).expect("a label");
            assert_eq!(parse(&text).expect("a loss"), loss, "{text}");
        }
    }

    #[test]
    fn what_is_no_loss_is_named() {
        for (text, name) in [
            ("", "``"),
            ("slx", "`slx`"),
            ("sl tau=0.1 m=3", "`m`"),
            ("sl tau", "sl tau"),
        ] {
            let message = parse(text).expect_err(text).to_string();
            assert!(message.contains(name), "{message}");
        }
    }
}
