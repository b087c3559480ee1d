//! Interactions as they come from the files.

use super::{numbering::Numbering, text::Text};
use crate::Result;

/// Interactions by provisional numbers, and what was found on the way.
pub(super) struct Rows {
    pub(super) users: Numbering,
    pub(super) items: Numbering,
    pub(super) pairs: Vec<(u32, u32)>,
    /// How many were rated too low.
    pub(super) below: usize,
    pub(super) notes: Vec<String>,
    min_rating: Option<f64>,
    seen: usize,
}

impl Rows {
    pub(super) fn new(min_rating: Option<f64>) -> Self {
        Rows {
            users: Numbering::new("a user"),
            items: Numbering::new("an item"),
            pairs: Vec::new(),
            below: 0,
            notes: Vec::new(),
            min_rating,
            seen: 0,
        }
    }

    /// How many interactions there were so far, taken or not.
    pub(super) fn seen(&self) -> usize {
        self.seen
    }

    pub(super) fn needs_ratings(&self) -> bool {
        self.min_rating.is_some()
    }

    pub(super) fn add(&mut self, text: &Text, line: usize, user: &str, item: &str) -> Result<()> {
        self.seen += 1;
        let pair = (
            self.users.number(text, line, user)?,
            self.items.number(text, line, item)?,
        );
        self.pairs.push(pair);
        Ok(())
    }

    /// As [`Rows::add`], unless the rating, where one is needed, is too low.
    pub(super) fn add_rated(
        &mut self,
        text: &Text,
        line: usize,
        (user, item): (&str, &str),
        rating: Option<&str>,
    ) -> Result<()> {
        let Some(least) = self.min_rating else {
            return self.add(text, line, user, item);
        };
        let number = rating.and_then(|rating| rating.parse::<f64>().ok());
        let Some(rating) = number.filter(|rating| rating.is_finite()) else {
            return Err(text.expected(line, "a rating, for min_rating, that is a finite number"));
        };
        if rating < least {
            self.seen += 1;
            self.below += 1;
            return Ok(());
        }
        self.add(text, line, user, item)
    }
}
