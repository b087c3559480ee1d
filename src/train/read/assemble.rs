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
    rows: Rows,
    train: Vec<Pair>,
    test: Option<Vec<Pair>>,
) -> Result<Read> {
    let (seen, taken) = (rows.seen(), rows.seen() - rows.below);
    let counts = [rows.users.len(), rows.items.len()];
    let mut notes = rows.notes;
    if rows.below > 0 {
        let least = source.min_rating.unwrap_or_default();
        notes.push(format!(
            "{} interactions rated below {least} are left out",
            rows.below
        ));
    }
    let mut parts = Parts::new(source.split, train, test);
    parts.tell_repeats(taken, counts[0], &mut notes);
    if source.core > 1 {
        parts.keep_core(source.core, counts, &mut notes)?;
    }
    parts.drop_strangers(counts[0], &mut notes);
    if parts.train.is_empty() {
        let message = format!("of {seen} interactions none remains to learn from");
        let why = notes
            .iter()
            .flat_map(|note| ["; ", note])
            .collect::<String>();
        return Err(error(&source.path, 0, message + &why));
    }
    let [users, items] = [
        rows.users
            .into_table(&parts.used(counts[0], |pair| pair.0))?,
        rows.items
            .into_table(&parts.used(counts[1], |pair| pair.1))?,
    ];
    let table = |pairs: &[Pair]| {
        let pairs = pairs
            .iter()
            .map(|&(user, item)| (users.row(user), items.row(item)));
        let pairs: Vec<Pair> = pairs.collect();
        Interactions::from_pairs(users.names.len(), items.names.len(), &pairs)
    };
    let train = table(&parts.train)?;
    let dataset = match &parts.test {
        Some(test) => Dataset {
            train,
            test: table(test)?,
        },
        None => split_anew(&train, source.seed, &mut notes)?,
    };
    if parts.test.is_some() {
        tell_test_only(&dataset, &mut notes);
    }
    let tokens = Tokens {
        users: users.names,
        items: items.names,
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

    fn tell_repeats(&self, taken: usize, users: usize, notes: &mut Vec<String>) {
        let known = self.used(users, |pair| pair.0);
        let alone = known.iter().filter(|&&known| !known).count();
        if alone > 0 {
            notes.push(format!("{alone} users without interactions are left out"));
        }
        if self.len() < taken {
            let repeats = taken - self.len();
            notes.push(format!("{repeats} repeated interactions are counted once"));
        }
        let learnt = |pair: &&Pair| self.train.binary_search(pair).is_ok();
        let both = self.test.iter().flatten().filter(learnt).count();
        if both > 0 {
            notes.push(format!(
                "{both} interactions of the test part are training data too, which no ranking lists"
            ));
        }
    }

    fn keep_core(&mut self, k: usize, counts: [usize; 2], notes: &mut Vec<String>) -> Result<()> {
        let all: Vec<Pair> = self.all().copied().collect();
        let [users, items] = k_core(counts[0], counts[1], &all, k)?;
        self.retain(|&(user, item)| users[user as usize] && items[item as usize]);
        let kept = |kept: &[bool]| kept.iter().filter(|&&kept| kept).count();
        notes.push(format!(
            "{k}-core: {} of {} users, {} of {} items and {} of {} interactions remain",
            kept(&users),
            users.len(),
            kept(&items),
            items.len(),
            self.len(),
            all.len()
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
                "{} users without training data: their {} test interactions are left out",
                strangers.len(),
                before - test.len()
            ));
        }
    }
}

fn split_anew(all: &Interactions, seed: u64, notes: &mut Vec<String>) -> Result<Dataset> {
    let dataset = split::train_test_known(all, seed)?;
    notes.push(format!("split 80/20 per user with seed {seed}"));
    let unknown = all.len() - dataset.train.len() - dataset.test.len();
    if unknown > 0 {
        notes.push(format!(
            "{unknown} interactions of the test part with items that no user trains on are left out"
        ));
    }
    Ok(dataset)
}

fn tell_test_only(data: &Dataset, notes: &mut Vec<String>) {
    let only = data
        .train
        .item_counts()
        .into_iter()
        .filter(|&count| count == 0)
        .count();
    if only > 0 {
        notes.push(format!("{only} items occur in the test part only"));
    }
}
