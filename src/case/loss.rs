//! The field `loss`, with errors that say what is valid.

use super::document::{Document, without_place};
use crate::{AnyLoss, Error, Result, loss::registry};
use serde_json::{Map, Value, value::RawValue};

pub(super) fn read(document: &Document<'_>, raw: &RawValue) -> Result<AnyLoss> {
    let fields: Map<String, Value> = document.decode("loss", raw)?;
    let Some(name) = fields.get("loss").and_then(Value::as_str) else {
        let message = r#"expected {"loss": NAME, …parameters}"#;
        return Err(document.error("loss", message));
    };
    let Some(about) = registry::about(name) else {
        return Err(Error::Unknown {
            what: document.path().into(),
            kind: "loss",
            name: name.into(),
            valid: registry::NAMES.join(", "),
        });
    };
    let valid: Vec<&str> = about.parameters.iter().map(|p| p.name).collect();
    for parameter in fields.keys().filter(|key| *key != "loss") {
        if !valid.contains(&parameter.as_str()) {
            return Err(Error::Unknown {
                what: format!("{}: loss {name}", document.path()),
                kind: "parameter",
                name: parameter.clone(),
                valid: valid.join(", "),
            });
        }
    }
    serde_json::from_str(raw.get())
        .map_err(|error| document.error("loss", format!("{name}: {}", without_place(&error))))
}
