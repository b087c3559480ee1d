//! What holds of any interactions.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, prelude::*, sample::select};
use wgloss::train::read::{Format, Source, Split};

use crate::{Words, all_of, read_with, test_of, train_of};

type Pairs = [(String, String)];
type Writer = fn(&Pairs) -> String;

/// Tokens that would be misread between the wrong separators, or sorted the wrong way.
const TOKENS: [&str; 14] = [
    "0",
    "7",
    "10",
    "010",
    "18446744073709551616",
    "-3",
    "x",
    "X",
    "é",
    "a-b",
    "u:1",
    "#",
    "it'em",
    "日本",
];

fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        select(&TOKENS[..]).prop_map(str::to_owned),
        (0..30u32).prop_map(|number| number.to_string()),
    ]
}

fn interactions() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((token(), token()), 1..80)
}

/// A line per interaction under a header, lest the first interaction looks like one.
fn lines(header: &str, between: &str, pairs: &Pairs) -> String {
    let line = |(user, item): &(String, String)| format!("{user}{between}{item}\n");
    header.to_owned() + &pairs.iter().map(line).collect::<String>()
}

fn adjacency(pairs: &Pairs) -> String {
    let mut lists: BTreeMap<&str, String> = BTreeMap::new();
    for (user, item) in pairs {
        *lists.entry(user).or_default() += &format!(" {item}");
    }
    let line = |(user, items): (&str, String)| format!("{user}{items}\n");
    lists.into_iter().map(line).collect()
}

fn inter(pairs: &Pairs) -> String {
    let turn = |(user, item): &(String, String)| (item.clone(), user.clone());
    let turned: Vec<_> = pairs.iter().map(turn).collect();
    lines("item_id:token\tuser_id:token\n", "\t", &turned)
}

fn tsv(pairs: &Pairs) -> String {
    lines("user\titem\n", "\t", pairs)
}

fn set(pairs: &Pairs) -> Words {
    pairs.iter().cloned().collect()
}

/// Removes one user or item at a time, the first that has too few, until none has.
fn core_by_force(mut all: Words, k: usize) -> Words {
    loop {
        let users = |user: &String| all.iter().filter(|pair| pair.0 == *user).count();
        let items = |item: &String| all.iter().filter(|pair| pair.1 == *item).count();
        let few = |(user, item): &&(String, String)| users(user) < k || items(item) < k;
        let Some((user, item)) = all.iter().find(few).cloned() else {
            return all;
        };
        if users(&user) < k {
            all.retain(|pair| pair.0 != user);
        } else {
            all.retain(|pair| pair.1 != item);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_was_written_is_read(train in interactions(), test in interactions()) {
        // Everybody is in the training part, so that nothing is left out.
        let (mut train, test) = (train, test);
        train.extend(test.iter().map(|(user, _)| (user.clone(), "0".to_owned())));
        let written: [([&str; 2], Writer); 3] = [
            (["train.tsv", "test.tsv"], tsv),
            (["train.txt", "test.txt"], adjacency),
            (["a.train.inter", "a.test.inter"], inter),
        ];
        for (names, write) in written {
            let texts = [write(&train), write(&test)];
            let files = [(names[0], &texts[0][..]), (names[1], &texts[1][..])];
            let data = read_with(&files, "", |_| ()).unwrap();
            prop_assert_eq!(train_of(&data), set(&train), "{}", names[0]);
            prop_assert_eq!(test_of(&data), set(&test), "{}", names[1]);
        }
    }

    #[test]
    fn one_file_in_any_format_and_order_gives_the_same(
        (pairs, shuffled) in interactions()
            .prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle())),
        separator in select(&["\t", ",", ";", "::", " "][..]),
    ) {
        let columns = |pairs: &Pairs| lines(&format!("user{separator}item\n"), separator, pairs);
        let mut results = Vec::new();
        for pairs in [&pairs, &shuffled] {
            for (format, text) in [
                (Format::Columns, columns(pairs)),
                (Format::Inter, inter(pairs)),
                (Format::Adjacency, adjacency(pairs)),
            ] {
                let options = |source: &mut Source| source.format = format;
                results.push(read_with(&[("a", &text)], "a", options).unwrap());
            }
        }
        let first = &results[0];
        for result in &results {
            prop_assert_eq!((&result.dataset, &result.tokens), (&first.dataset, &first.tokens));
        }
        let all = set(&pairs);
        let users: BTreeSet<&str> = all.iter().map(|pair| &pair.0[..]).collect();
        let items: BTreeSet<&str> = all.iter().map(|pair| &pair.1[..]).collect();
        prop_assert_eq!(first.tokens.users.iter().collect::<BTreeSet<_>>(), users);
        prop_assert_eq!(first.tokens.items.iter().collect::<BTreeSet<_>>(), items);
        // What is missing was to be tested with items that nobody trains on.
        let learnt: BTreeSet<String> = train_of(first).into_iter().map(|pair| pair.1).collect();
        for missing in all.difference(&all_of(first)) {
            prop_assert!(!learnt.contains(&missing.1), "{:?}", missing);
        }
    }

    #[test]
    fn cores_are_those_of_brute_force(
        train in interactions(),
        test in interactions(),
        k in 1..5usize,
    ) {
        let texts = [tsv(&train), tsv(&test)];
        let files = [("train.tsv", &texts[0][..]), ("test.tsv", &texts[1][..])];
        let [train, test] = [set(&train), set(&test)];
        let core = core_by_force(&train | &test, k);
        let learnt = &train & &core;
        let known = |pair: &(String, String)| learnt.iter().any(|(user, _)| *user == pair.0);
        let tested: Words = (&test & &core).into_iter().filter(known).collect();
        match read_with(&files, "", |source| source.core = k) {
            Ok(data) => prop_assert_eq!((train_of(&data), test_of(&data)), (learnt, tested)),
            Err(error) => {
                prop_assert!(learnt.is_empty() && error.contains("none remains"), "{}", error);
            }
        }
        let anew = |source: &mut Source| (source.core, source.split) = (k, Split::Anew);
        match read_with(&files, "", anew) {
            Ok(data) => {
                let users: BTreeSet<_> = core.iter().map(|pair| &pair.0).collect();
                prop_assert!(all_of(&data).is_subset(&core));
                prop_assert_eq!(data.tokens.users.len(), users.len());
            }
            Err(error) => prop_assert!(core.is_empty(), "{}", error),
        }
    }
}
