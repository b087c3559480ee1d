//! `--loss` and a flag per parameter of any loss, as the registry describes them.

use crate::losses::parameters_of;
use clap::{Arg, ArgMatches, Args, Command, Error as Usage, FromArgMatches};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use wgloss::{
    AnyLoss, Error, Result,
    loss::{About, Score, registry},
    train::{Preset, defaults},
};

/// The loss and what was given of its parameters.
pub struct LossArguments {
    name: String,
    parameters: BTreeMap<&'static str, String>,
}

impl LossArguments {
    /// The loss's name.
    pub fn name(&self) -> Result<&'static str> {
        let mut known = registry::NAMES.iter().copied();
        known
            .find(|name| *name == self.name)
            .ok_or_else(|| Error::Unknown {
                what: "--loss".into(),
                kind: "loss",
                name: self.name.clone(),
                valid: registry::NAMES.join(", "),
            })
    }

    /// The loss, with what the preset says of what was not given, and else defaults.
    pub fn loss(&self, preset: Option<&Preset>) -> Result<AnyLoss> {
        let mut all = LossArguments {
            name: self.name.clone(),
            parameters: self.parameters.clone(),
        };
        for (parameter, text) in preset.iter().flat_map(|preset| &preset.parameters) {
            let known = parameters().into_keys().find(|known| known == parameter);
            let name = known.ok_or_else(|| {
                Error::Unsupported(format!("preset: no loss has a parameter `{parameter}`"))
            })?;
            all.parameters.entry(name).or_insert_with(|| text.clone());
        }
        all.given()
    }

    /// The loss, with the defaults of what was not given.
    fn given(&self) -> Result<AnyLoss> {
        let name = self.name()?;
        let Some(about) = registry::about(name) else {
            return Err(Error::Unsupported(format!("loss {name}: not described")));
        };
        for parameter in self.parameters.keys() {
            if !about
                .parameters
                .iter()
                .any(|known| known.name == *parameter)
            {
                return Err(unknown(name, parameter, about));
            }
        }
        let score = (self.parameters.get("score"))
            .and_then(|score| serde_json::from_value::<Score>(value(score)).ok());
        let Some(default) = defaults::loss(name, score) else {
            return Err(Error::Unsupported(format!("loss {name}: no defaults")));
        };
        let defaults = parameters_of(&default)?;
        let loss = self.build(name, about, &defaults)?;
        // A parameter that the chosen form of the loss does not read is as wrong as an unknown one.
        let read = parameters_of(&loss)?;
        match self
            .parameters
            .keys()
            .find(|given| !read.contains_key(**given))
        {
            None => Ok(loss),
            Some(parameter) => Err(Error::Unknown {
                what: format!("loss {name} in this form"),
                kind: "parameter",
                name: (*parameter).into(),
                valid: (read.keys().filter(|key| *key != "loss"))
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }

    fn build(
        &self,
        name: &'static str,
        about: &'static About,
        defaults: &Map<String, Value>,
    ) -> Result<AnyLoss> {
        // The default's parameters are those of the default's form.
        let mut all = if self.parameters.contains_key("form") {
            Map::from_iter([("loss".to_owned(), name.into())])
        } else {
            defaults.clone()
        };
        for (parameter, text) in &self.parameters {
            all.insert((*parameter).to_owned(), value(text));
        }
        let error = match serde_json::from_value(Value::Object(all)) {
            Ok(loss) => return Ok(loss),
            Err(error) => error,
        };
        // The parser does not say where it failed: the parameter that fails alone is the one.
        for parameter in about.parameters {
            let Some(text) = self.parameters.get(parameter.name) else {
                continue;
            };
            let mut one = defaults.clone();
            one.insert(parameter.name.to_owned(), value(text));
            let fails = serde_json::from_value::<AnyLoss>(Value::Object(one)).is_err();
            if fails && defaults.contains_key(parameter.name) && parameter.name != "form" {
                return Err(Error::Domain {
                    loss: name,
                    parameter: parameter.name,
                    value: text.clone(),
                    domain: format!("expected {}", parameter.domain),
                });
            }
        }
        Err(Error::Unsupported(format!("loss {name}: {error}")))
    }
}

fn unknown(name: &str, parameter: &str, about: &About) -> Error {
    let valid: Vec<&str> = about.parameters.iter().map(|p| p.name).collect();
    Error::Unknown {
        what: format!("loss {name}"),
        kind: "parameter",
        name: parameter.into(),
        valid: valid.join(", "),
    }
}

/// Numbers, true and false as such; anything else is a name.
fn value(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => text.into(),
    }
}

/// The parameters of all losses by name, each with the losses that have it.
fn parameters() -> BTreeMap<&'static str, String> {
    let mut all = BTreeMap::<&str, Vec<(&str, &str)>>::new();
    for name in registry::NAMES {
        for parameter in registry::about(name)
            .iter()
            .flat_map(|about| about.parameters)
        {
            all.entry(parameter.name)
                .or_default()
                .push((name, parameter.domain));
        }
    }
    let describe = |losses: Vec<(&str, &str)>| {
        let mut domains: Vec<&str> = losses.iter().map(|loss| loss.1).collect();
        domains.dedup();
        let losses: Vec<&str> = losses.iter().map(|loss| loss.0).collect();
        format!("{} ({})", domains.join(" or "), losses.join(", "))
    };
    (all.into_iter())
        .map(|(name, losses)| (name, describe(losses)))
        .collect()
}

/// Parameters whose names are those of other flags of the command: their own begin with `--loss-`.
const TAKEN: [&str; 2] = ["k", "reference"];

/// What the parser calls a parameter.
fn id(parameter: &str) -> String {
    format!("loss {parameter}")
}

impl Args for LossArguments {
    fn augment_args(command: Command) -> Command {
        let loss = Arg::new("loss")
            .long("loss")
            .value_name("NAME")
            .default_value("sl")
            .help("The loss (see `wgloss losses`)");
        let flag = |(name, help): (&'static str, String)| {
            let own = match TAKEN.contains(&name) {
                true => format!("loss-{name}"),
                false => name.replace('_', "-"),
            };
            let flag = Arg::new(id(name))
                .long(own)
                .value_name("VALUE")
                .allow_negative_numbers(true)
                .help(help)
                .help_heading("Parameters of the loss (see `wgloss losses`)");
            if name.contains('_') {
                flag.alias(name)
            } else {
                flag
            }
        };
        command.arg(loss).args(parameters().into_iter().map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LossArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Usage> {
        let given = |name: &&'static str| {
            let text = matches.get_one::<String>(&id(name))?;
            Some((*name, text.clone()))
        };
        Ok(LossArguments {
            name: matches
                .get_one::<String>("loss")
                .cloned()
                .unwrap_or_default(),
            parameters: parameters().keys().filter_map(given).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Usage> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(line: &str) -> Result<AnyLoss> {
        let command = LossArguments::augment_args(Command::new("train").no_binary_name(true));
        let matches = command.get_matches_from(line.split_whitespace());
        LossArguments::from_arg_matches(&matches)
            .unwrap()
            .loss(None)
    }

    #[test]
    fn parameters_become_the_loss() {
        for (line, json) in [
            ("", r#"{"loss": "sl", "tau": 0.2}"#),
            ("--tau 0.1", r#"{"loss": "sl", "tau": 0.1}"#),
            (
                "--score dot",
                r#"{"loss": "sl", "tau": 1.0, "score": "dot"}"#,
            ),
            (
                "--loss psl --activation relu --tau 0.1 --positive-in-sum true",
                r#"{"loss": "psl", "activation": "relu", "tau": 0.1, "positive_in_sum": true}"#,
            ),
            (
                "--loss bsl --tau1 0.5",
                r#"{"loss": "bsl", "form": "ir_benchmark", "tau1": 0.5, "tau2": 0.2}"#,
            ),
            (
                "--loss sl_at_k --tau 0.1 --tau-w 2 --loss-k 5",
                r#"{"loss": "sl_at_k", "tau": 0.1, "tau_w": 2.0, "k": 5}"#,
            ),
            (
                "--loss s_dpo --beta 2",
                r#"{"loss": "s_dpo", "beta": 2.0, "reference": "tables"}"#,
            ),
            (
                "--loss s_dpo --loss-reference given",
                r#"{"loss": "s_dpo", "beta": 1.0, "reference": "given"}"#,
            ),
            (
                "--loss bsl --form multi --tau 0.1 --exponent 1.2",
                r#"{"loss": "bsl", "form": "multi", "tau": 0.1, "exponent": 1.2}"#,
            ),
        ] {
            let expected: AnyLoss = serde_json::from_str(json).unwrap();
            assert_eq!(loss(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn every_loss_is_reached_by_its_name() {
        for &name in registry::NAMES {
            let expected = defaults::loss(name, None).unwrap();
            assert_eq!(expected.as_dyn().spec().name, name);
            assert_eq!(loss(&format!("--loss {name}")).unwrap(), expected);
        }
    }

    #[test]
    fn mistakes_are_told_with_what_is_valid() {
        for (line, expected) in [
            (
                "--loss warp",
                "--loss: unknown loss `warp`, expected one of: sl, ",
            ),
            (
                "--tau1 0.1",
                "loss sl: unknown parameter `tau1`, expected one of: tau, ",
            ),
            ("--tau abc", "sl: tau = abc: expected > 0"),
            (
                "--loss psl --activation sine",
                "psl: activation = sine: expected tanh",
            ),
            (
                "--loss bsl --form multi --tau 0.1",
                "loss bsl: missing field `exponent`",
            ),
            (
                "--loss bsl --form single --tau 0.1 --tau1 1",
                "unknown field `tau1`, expected `tau` or `exponent`",
            ),
        ] {
            let error = loss(line).unwrap_err().to_string();
            assert!(error.contains(expected), "{line}: {error}");
        }
    }
}
