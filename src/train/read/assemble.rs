//! From interactions by provisional numbers to tables: what is left out, the rows, the split.

use super::{
    super::{Dataset, Interactions, Tokens, split},
    Read, Source, Split,
    k_core::k_core,
    rows::Rows,
    text::error,
};
use crate::Result;

type Pair = (u32, u32);

/// The parts, each sorted and without repeats.
struct Parts {
    train: Vec<Pair>,
    test: Option<Vec<Pair>>,
}

/// Takes interactions through all that `source` asks for.
pub(super) fn assemble(
    source: &Source,
    mut rows: Rows,
    train: Vec<Pair>,
    test: Option<Vec<Pair>>,
) -> Result<Read> {
    let mut notes = std::mem::take(&mut rows.notes);
    if let Some(least) = source.min_rating.filter(|_| rows.below > 0) {
        let below = many(rows.below, "interaction");
        notes.push(format!("left out: {below} rated below {least}"));
    }
    let counts = [rows.users.len(), rows.items.len()];
    let mut parts = Parts::new(source.split, train, test);
    parts.tell_repeats(rows.seen() - rows.below, counts[0], &mut notes);
    if source.core > 1 {
        parts.keep_core(source.core, counts, &mut notes)?;
    }
    parts.drop_strangers(counts[0], &mut notes);
    if parts.train.is_empty() {
        let seen = many(rows.seen(), "interaction");
        let why: String = notes.iter().flat_map(|note| ["; ", note]).collect();
        let message = format!("of {seen} none remains to learn from{why}");
        return Err(error(&source.path, 0, message));
    }
    let (train, test, tokens) = parts.into_tables(rows)?;
    let dataset = match test {
        Some(test) => {
            tell_test_only(&train, &mut notes);
            Dataset { train, test }
        }
        None => split_anew(&train, source.seed, &mut notes)?,
    };
    Ok(Read {
        dataset,
        tokens,
        notes,
    })
}

impl Parts {
    fn new(split: Split, mut train: Vec<Pair>, mut test: Option<Vec<Pair>>) -> Self {
        if split == Split::Anew {
            train.extend(test.take().into_iter().flatten());
        }
        for part in [Some(&mut train), test.as_mut()].into_iter().flatten() {
            part.sort_unstable();
            part.dedup();
        }
        Parts { train, test }
    }

    fn len(&self) -> usize {
        self.all().count()
    }

    fn all(&self) -> impl Iterator<Item = &Pair> {
        self.train.iter().chain(self.test.iter().flatten())
    }

    fn retain(&mut self, keep: impl Fn(&Pair) -> bool) {
        self.train.retain(&keep);
        if let Some(test) = &mut self.test {
            test.retain(&keep);
        }
    }

    /// Which of `count` numbers occur on the side that `of` takes.
    fn used(&self, count: usize, of: impl Fn(&Pair) -> u32) -> Vec<bool> {
        let mut used = vec![false; count];
        for pair in self.all() {
            used[of(pair) as usize] = true;
        }
        used
    }

    /// Gives a row to every user and item that is left.
    fn into_tables(self, rows: Rows) -> Result<(Interactions, Option<Interactions>, Tokens)> {
        let users = self.used(rows.users.len(), |pair| pair.0);
        let items = self.used(rows.items.len(), |pair| pair.1);
        let users = rows.users.into_table(&users)?;
        let items = rows.items.into_table(&items)?;
        let table = |mut pairs: Vec<Pair>| {
            for (user, item) in &mut pairs {
                (*user, *item) = (users.row(*user), items.row(*item));
            }
            Interactions::from_pairs(users.names.len(), items.names.len(), &pairs)
        };
        let train = table(self.train)?;
        let test = self.test.map(table).transpose()?;
        let tokens = Tokens {
            users: users.names,
            items: items.names,
        };
        Ok((train, test, tokens))
    }

    fn tell_repeats(&self, taken: usize, users: usize, notes: &mut Vec<String>) {
        let known = self.used(users, |pair| pair.0);
        let alone = known.iter().filter(|&&known| !known).count();
        if alone > 0 {
            let alone = many(alone, "user");
            notes.push(format!("left out: {alone} without interactions"));
        }
        if self.len() < taken {
            let repeats = many(taken - self.len(), "repeated interaction");
            notes.push(format!("counted once: {repeats}"));
        }
        let learnt = |pair: &&Pair| self.train.binary_search(pair).is_ok();
        let both = self.test.iter().flatten().filter(learnt).count();
        if both > 0 {
            let both = many(both, "test interaction");
            notes.push(format!("in no ranking, being training data too: {both}"));
        }
    }

    fn keep_core(&mut self, k: usize, counts: [usize; 2], notes: &mut Vec<String>) -> Result<()> {
        let all: Vec<Pair> = self.all().copied().collect();
        let [users, items] = k_core(counts[0], counts[1], &all, k)?;
        // Who was told to be without interactions is not told again.
        let before = [
            self.used(counts[0], |pair| pair.0),
            self.used(counts[1], |pair| pair.1),
        ];
        self.retain(|&(user, item)| users[user as usize] && items[item as usize]);
        let count = |of: &[bool]| of.iter().filter(|&&of| of).count();
        notes.push(format!(
            "{k}-core: {} of {}, {} of {} and {} of {} remain",
            count(&users),
            many(count(&before[0]), "user"),
            count(&items),
            many(count(&before[1]), "item"),
            self.len(),
            many(all.len(), "interaction")
        ));
        Ok(())
    }

    /// Leaves out of the test part who has no training data.
    fn drop_strangers(&mut self, users: usize, notes: &mut Vec<String>) {
        let Some(test) = &mut self.test else { return };
        let mut learnt = vec![false; users];
        for &(user, _) in &self.train {
            learnt[user as usize] = true;
        }
        let before = test.len();
        let mut strangers: Vec<u32> = test.iter().map(|pair| pair.0).collect();
        strangers.retain(|&user| !learnt[user as usize]);
        strangers.dedup();
        test.retain(|&(user, _)| learnt[user as usize]);
        if !strangers.is_empty() {
            notes.push(format!(
                "left out: {} without training data, with {}",
                many(strangers.len(), "user"),
                many(before - test.len(), "test interaction")
            ));
        }
    }
}

fn split_anew(all: &Interactions, seed: u64, notes: &mut Vec<String>) -> Result<Dataset> {
    let dataset = split::train_test_known(all, seed)?;
    notes.push(format!("split 80/20 per user with seed {seed}"));
    let unknown = all.len() - dataset.train.len() - dataset.test.len();
    if unknown > 0 {
        let unknown = many(unknown, "test interaction");
        notes.push(format!(
            "left out: {unknown} with items that no user trains on"
        ));
    }
    Ok(dataset)
}

/// Every item is in one of the parts.
fn tell_test_only(train: &Interactions, notes: &mut Vec<String>) {
    let counts = train.item_counts();
    let only = counts.into_iter().filter(|&count| count == 0).count();
    if only > 0 {
        notes.push(format!("in the test part only: {}", many(only, "item")));
    }
}

/// A number of things called `one`.
fn many(count: usize, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {one}{plural}")
}
