//! Numbers for what files call users and items.

use std::collections::HashMap;

use super::{super::Names, text::Text};
use crate::{Error, Result};

/// What has no row.
const NONE: u32 = u32::MAX;

/// Numbers in the order of first appearance.
pub(super) struct Numbering {
    /// "a user" or "an item".
    kind: &'static str,
    numbers: HashMap<Box<str>, u32>,
}

/// Rows of a table, in an order that does not depend on the first appearance.
pub(super) struct Table {
    pub(super) names: Names,
    rows: Vec<u32>,
}

impl Numbering {
    pub(super) fn new(kind: &'static str) -> Self {
        Numbering {
            kind,
            numbers: HashMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The number of a token, which stood in this line.
    pub(super) fn number(&mut self, text: &Text, line: usize, token: &str) -> Result<u32> {
        if let Some(&number) = self.numbers.get(token) {
            return Ok(number);
        }
        if token.is_empty() || token.contains(['\r', '\n']) {
            let expected = format!("{} that is not empty and stays on its line", self.kind);
            return Err(text.expected(line, &expected));
        }
        let number = self.numbers.len();
        let number = u32::try_from(number).ok().filter(|&number| number < NONE);
        let number = number.ok_or_else(|| Error::TooLarge {
            what: format!(
                "{} in more than {NONE}, numbered by 4 bytes each",
                self.kind
            ),
            bytes: 4 * (u64::from(NONE) + 1),
            limit: 4 * u64::from(NONE),
        })?;
        self.numbers.insert(token.into(), number);
        Ok(number)
    }

    /// Gives rows to the tokens that `used` says, in the order of their numbers if all of these
    /// are decimal numbers, or else of their bytes.
    pub(super) fn into_table(self, used: &[bool]) -> Result<Table> {
        let mut rows = vec![NONE; self.numbers.len()];
        let mut named: Vec<(String, u32)> = (self.numbers.into_iter())
            .filter(|&(_, number)| used[number as usize])
            .map(|(token, number)| (token.into(), number))
            .collect();
        let decimals: Option<Vec<u64>> = named.iter().map(|(token, _)| decimal(token)).collect();
        match decimals {
            Some(_) => named.sort_unstable_by_key(|(token, _)| decimal(token)),
            None => named.sort_unstable(),
        }
        for (row, &(_, number)) in (0..).zip(&named) {
            rows[number as usize] = row;
        }
        let names = named.into_iter().map(|(token, _)| token).collect();
        Ok(Table {
            names: Names::new(names)?,
            rows,
        })
    }
}

impl Table {
    /// The row of the token that had this number, which was among those used.
    pub(super) fn row(&self, number: u32) -> u32 {
        self.rows[number as usize]
    }
}

/// The value of a decimal number written the one way that [`u64`]'s `Display` writes it.
fn decimal(token: &str) -> Option<u64> {
    let plain = token == "0" || !token.starts_with(['0', '+']);
    token.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_written_form_is_a_decimal() {
        for (token, value) in [
            ("0", Some(0)),
            ("120", Some(120)),
            ("18446744073709551615", Some(u64::MAX)),
        ] {
            assert_eq!(decimal(token), value);
        }
        for token in [
            "",
            "00",
            "07",
            "+7",
            "-7",
            "7.0",
            "18446744073709551616",
            "x",
        ] {
            assert_eq!(decimal(token), None, "{token}");
        }
    }
}
