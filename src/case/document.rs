//! The top-level object of a case file: fields, each taken once by name.

use crate::{Error, Result};
use serde::{
    Deserialize,
    de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The fields that nobody has taken yet. They stay text until then, so an error in one can name it.
pub(super) struct Document<'a> {
    path: &'a str,
    fields: Vec<(String, &'a RawValue)>,
}

impl<'a> Document<'a> {
    pub fn parse(path: &'a str, text: &'a str) -> Result<Self> {
        let at_line = |line, message| Error::Parse {
            path: path.into(),
            line,
            message,
        };
        if text.trim().is_empty() {
            return Err(at_line(1, "the file is empty".into()));
        }
        match serde_json::from_str::<Fields<'a>>(text) {
            Ok(Fields(fields)) => Ok(Document { path, fields }),
            Err(error) => Err(at_line(error.line(), without_place(&error))),
        }
    }

    pub fn path(&self) -> &'a str {
        self.path
    }

    pub fn has(&self, name: &str) -> bool {
        let present = |(field, raw): &(String, &RawValue)| field == name && raw.get() != "null";
        self.fields.iter().any(present)
    }

    /// The field's text; `None` where it is absent or null.
    pub fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let place = self.fields.iter().position(|(field, _)| field == name)?;
        let (_, raw) = self.fields.swap_remove(place);
        (raw.get() != "null").then_some(raw)
    }

    pub fn require(&mut self, name: &str) -> Result<&'a RawValue> {
        match self.take(name) {
            Some(raw) => Ok(raw),
            None => Err(self.error(name, "is missing")),
        }
    }

    pub fn read<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>> {
        match self.take(name) {
            None => Ok(None),
            Some(raw) => self.decode(name, raw).map(Some),
        }
    }

    pub fn decode<T: DeserializeOwned>(&self, name: &str, raw: &RawValue) -> Result<T> {
        serde_json::from_str(raw.get()).map_err(|error| self.error(name, without_place(&error)))
    }

    pub fn error(&self, field: &str, message: impl Into<String>) -> Error {
        Error::Field {
            path: self.path.into(),
            field: field.into(),
            message: message.into(),
        }
    }

    /// Every field must have been taken by now.
    pub fn finish(&self, valid: &[&str]) -> Result<()> {
        match self.fields.first() {
            None => Ok(()),
            Some((name, _)) if valid.contains(&name.as_str()) => {
                Err(self.error(name, "does not go with this loss and its inputs"))
            }
            Some((name, _)) => Err(Error::Unknown {
                what: self.path.into(),
                kind: "field",
                name: name.clone(),
                valid: valid.join(", "),
            }),
        }
    }
}

/// serde's message without its place, which counts from the start of the field and misleads.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = match message.rfind(" at line ") {
        Some(end) => &message[..end],
        None => &message,
    };
    if message == "expected value" {
        // What Python's json module writes for them is no JSON.
        return "expected a JSON value (NaN and Infinity are none)".into();
    }
    message.into()
}

struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object, the case")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields: Vec<(String, &'de RawValue)> = Vec::new();
        while let Some((name, raw)) = map.next_entry::<String, &'de RawValue>()? {
            if fields.iter().any(|(field, _)| *field == name) {
                return Err(A::Error::custom(format!("field `{name}` appears twice")));
            }
            fields.push((name, raw));
        }
        Ok(Fields(fields))
    }
}
