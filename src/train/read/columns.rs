//! A user and an item a line, in columns.

use super::{
    records::{Separator, is_named_header, is_wordy_header},
    rows::Rows,
    text::Text,
};
use crate::Result;

/// Which columns there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// User and item, between tabs or blanks.
    Two,
    /// User, item, perhaps a rating, and whatever else.
    Any,
    /// As [`Shape::Any`], but where lists of items would look the same, all lines have to be
    /// equally long.
    Even,
}

pub(super) fn read(text: &Text, shape: Shape, rows: &mut Rows) -> Result<()> {
    let mut lines = text.lines();
    let Some((start, first)) = lines.next() else {
        return Ok(());
    };
    let separator = match shape {
        Shape::Two => Separator::of_tabular(first),
        Shape::Any | Shape::Even => Separator::of(first),
    };
    let fields = separator.fields(first);
    let second = lines.next().map(|(_, line)| separator.fields(line));
    let header = (shape != Shape::Two || fields.len() == 2)
        && is_header(text, start, [&fields, &second.unwrap_or_default()], rows);
    let width = match (shape, separator) {
        (Shape::Two, _) => Some(2),
        (Shape::Even, Separator::Tab | Separator::Blanks) => Some(fields.len()),
        _ => None,
    };
    separator.records(text, |line, fields| {
        if header && line == start {
            return Ok(());
        }
        match (fields, width) {
            ([_, _, ..], Some(width)) if width != fields.len() && shape == Shape::Even => {
                Err(text.expected(line, &even(width)))
            }
            ([user, item, rest @ ..], _) if shape != Shape::Two || rest.is_empty() => {
                rows.add_rated(text, line, (user, item), rest.first().copied())
            }
            _ => Err(text.expected(line, &user_and_item(shape, separator))),
        }
    })
}

/// Whether the first of two lines is a header; told in a note where it could be data as well.
fn is_header(text: &Text, line: usize, [first, second]: [&[&str]; 2], rows: &mut Rows) -> bool {
    if first.len() < 2 || is_named_header(first, second) {
        return first.len() >= 2;
    }
    let wordy = is_wordy_header(first, second);
    if wordy {
        let note = format!("{}: line {line} is taken for a header", text.path());
        rows.notes.push(note);
    }
    wordy
}

fn even(width: usize) -> String {
    format!(
        "{width} fields as in the first line (or else the format to be named: `columns`, or \
         `adjacency` for lines of `user item item …`)"
    )
}

fn user_and_item(shape: Shape, separator: Separator) -> String {
    match shape {
        Shape::Two => "a user and an item, `user<TAB>item`".into(),
        _ => format!("a user and an item, separated by {}", separator.name()),
    }
}
