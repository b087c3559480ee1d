//! `wgloss losses`: what losses there are.

use crate::{Outcome, screen::Screen};
use serde_json::{Value, json};
use wgloss::{
    AnyLoss, Error,
    loss::{Parameter, Score, registry},
    train::presets,
};

/// List the losses with their parameters, defaults, domains and papers.
#[derive(clap::Args)]
pub struct Arguments {
    /// List the published settings for `wgloss train --preset` instead
    #[arg(long)]
    presets: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments, screen: &mut Screen) -> Outcome {
    if arguments.presets {
        return list_presets(arguments.json, screen);
    }
    let losses: Vec<Value> = registry::all().iter().map(describe).collect();
    if arguments.json {
        screen.line(format_args!("{:#}", Value::Array(losses)))?;
        return Ok(true);
    }
    for (place, loss) in losses.iter().enumerate() {
        if place > 0 {
            screen.line("")?;
        }
        let text = |key: &str| loss[key].as_str().unwrap_or_default().to_string();
        screen.line(format_args!("{}: {}", text("loss"), text("title")))?;
        screen.line(format_args!("  {}", text("formula")))?;
        for parameter in loss["parameters"].as_array().into_iter().flatten() {
            screen.line(parameter_line(parameter))?;
        }
        screen.line(format_args!("  {}", text("source")))?;
    }
    Ok(true)
}

/// The published settings, a line each.
fn list_presets(json: bool, screen: &mut Screen) -> Outcome {
    let mut presets = presets::all()?;
    presets.retain(|preset| registry::NAMES.contains(&preset.loss.as_str()));
    if json {
        screen.line(format_args!("{:#}", json!(presets)))?;
        return Ok(true);
    }
    for preset in presets {
        let parameters = preset.parameters.iter();
        let flags: String = parameters
            .map(|(name, value)| format!(" {name} {value},"))
            .collect();
        let every = preset.quantile_every;
        let every = every.map_or(String::new(), |every| format!(", quantile-every {every}"));
        let by_cosine = match preset.rank_by {
            Some(Score::Cosine) => ", rank-by cosine",
            _ => "",
        };
        screen.line(format_args!(
            "--loss {:16} --preset {:22}{flags} lr {}, wd {}, negatives {}, init {}{every}{by_cosine}",
            preset.loss,
            preset.name,
            preset.learning_rate,
            preset.weight_decay,
            preset.negatives,
            preset.init,
        ))?;
    }
    Ok(true)
}

/// A loss as JSON.
fn describe(loss: &AnyLoss) -> Value {
    let name = loss.as_dyn().spec().name;
    let defaults = parameters_of(loss).unwrap_or_default();
    // Every loss of the registry has a description: the registry makes both from one list.
    let Some(about) = registry::about(name) else {
        return json!({ "loss": name });
    };
    let parameter = |parameter: &Parameter| {
        json!({
            "name": parameter.name,
            "default": defaults.get(parameter.name),
            "domain": parameter.domain,
            "meaning": parameter.meaning,
        })
    };
    json!({
        "loss": name,
        "title": about.title,
        "formula": about.formula,
        "parameters": about.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "source": about.source,
    })
}

fn parameter_line(parameter: &Value) -> String {
    let text = |key: &str| match &parameter[key] {
        Value::Null => "-".to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    format!(
        "    {:16} {:13} {} ({})",
        text("name"),
        text("default"),
        text("meaning"),
        text("domain")
    )
}

/// A loss in few words: its name, and where it is not the default, how.
pub fn label(loss: &AnyLoss) -> Result<String, Error> {
    let name = loss.as_dyn().spec().name;
    let mut label = name.to_string();
    let default = registry::all()
        .into_iter()
        .find(|other| other.as_dyn().spec().name == name);
    let defaults = default.map(|loss| parameters_of(&loss)).transpose()?;
    let defaults = defaults.unwrap_or_default();
    for (parameter, value) in parameters_of(loss)? {
        if parameter != "loss" && defaults.get(&parameter) != Some(&value) {
            label += &format!(" {parameter}={}", value.to_string().trim_matches('"'));
        }
    }
    Ok(label)
}

/// A loss as its JSON fields, `loss` and the parameters.
pub fn parameters_of(loss: &AnyLoss) -> Result<serde_json::Map<String, Value>, Error> {
    match serde_json::to_value(loss) {
        Ok(Value::Object(parameters)) => Ok(parameters),
        Ok(other) => Err(Error::Unsupported(format!("no object: {other}"))),
        Err(error) => Err(Error::Unsupported(format!("{loss:?}: {error}"))),
    }
}
