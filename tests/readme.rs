//! The README's table of losses is what the registry says.

use serde_json::{Map, Value};
use std::{env, fs};
use wgloss::{AnyLoss, loss::registry};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const BEGIN: &str = "<!-- table of losses: written by tests/readme.rs -->\n";
const END: &str = "<!-- end of the table of losses -->";

/// Set to anything, it makes the test write the table instead of comparing it.
const UPDATE: &str = "WGLOSS_UPDATE_README";

#[test]
fn the_table_of_losses_is_the_registry() {
    let readme = fs::read_to_string(README).expect("README.md");
    let (before, rest) = readme.split_once(BEGIN).expect("the table begins");
    let (found, after) = rest.split_once(END).expect("the table ends");
    let expected = table();
    if env::var_os(UPDATE).is_some() {
        let updated = [before, BEGIN, &expected, END, after].concat();
        fs::write(README, updated).expect("README.md can be written");
        return;
    }
    assert_eq!(
        found, expected,
        "run `{UPDATE}=1 cargo test --test readme` to write the table"
    );
}

fn table() -> String {
    let mut table = String::from(
        "\n| name | loss of a pair, in nats | parameters and defaults | paper |\n|---|---|---|---|\n",
    );
    for loss in registry::all() {
        let row = row(&loss);
        assert!(!row.contains('|'), "a column of its own: {row}");
        table += &format!("| {} |\n", row.replace('\t', " | "));
    }
    table.push('\n');
    table
}

/// The cells, with tabs between them.
fn row(loss: &AnyLoss) -> String {
    let name = loss.as_dyn().spec().name;
    let about = registry::about(name).expect("every loss describes itself");
    let defaults = parameters(loss);
    let parameters: Vec<String> = about
        .parameters
        .iter()
        .map(|parameter| match defaults.get(parameter.name) {
            None => format!("`{}`", parameter.name),
            Some(Value::String(word)) => format!("`{}` {word}", parameter.name),
            Some(value) => format!("`{}` {value}", parameter.name),
        })
        .collect();
    format!(
        "`{name}`: {}\t`{}`\t{}\t{}",
        about.title,
        about.formula,
        parameters.join(", "),
        about.source
    )
}

fn parameters(loss: &AnyLoss) -> Map<String, Value> {
    match serde_json::to_value(loss) {
        Ok(Value::Object(parameters)) => parameters,
        other => panic!("{loss:?} is an object in JSON, not {other:?}"),
    }
}
