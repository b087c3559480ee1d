//! Lists of items: `user item item …`.

use super::{rows::Rows, text::Text};
use crate::Result;

pub(super) fn read(text: &Text, rows: &mut Rows) -> Result<()> {
    for (line, content) in text.lines() {
        let mut fields = content.split_ascii_whitespace();
        let Some(user) = fields.next() else { continue };
        // So that a user without items is known and can be counted.
        rows.users.number(text, line, user)?;
        for item in fields {
            rows.add(text, line, user, item)?;
        }
    }
    Ok(())
}
