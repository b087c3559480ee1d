//! Cores, ratings, splits, and what notes say about them.

use wgloss::train::{
    Interactions,
    read::{Format, Source, Split},
    split,
};

use crate::{all_of, pairs, read, read_file, read_with, test_of, train_of};

#[test]
fn low_ratings_are_left_out() {
    let least = |rating: f64| move |source: &mut Source| source.min_rating = Some(rating);
    let text = "user,item,rating\na,x,3\nd,y,2.5\nb,x,5\nb,x,1\nc,z,-1\n";
    let read = |rating| read_with(&[("r.csv", text)], "r.csv", least(rating));
    let data = read(3.0).unwrap();
    assert_eq!(all_of(&data), pairs("a x, b x"));
    assert_eq!(data.tokens.items.len(), 1);
    assert_eq!(data.notes[0], "left out: 3 interactions rated below 3");
    assert_eq!(all_of(&read(2.5).unwrap()).len(), 3);
    assert_eq!(all_of(&read(-1.0).unwrap()).len(), 4);
    let typed = "user_id:token\titem_id:token\trating:float\na\tx\t3\na\ty\t2\n";
    let data = read_with(&[("r.inter", typed)], "r.inter", least(3.0)).unwrap();
    assert_eq!(all_of(&data), pairs("a x"));
}

#[test]
fn cores_count_all_parts_together() {
    // Without d, who has one item, z has one user, and then c has one item.
    let train = "a\tx\na\ty\nb\tx\nc\tz\nd\tz\n";
    let test = "b\ty\nc\tx\n";
    let core = |k: usize| {
        let files = [("train.tsv", train), ("test.tsv", test)];
        read_with(&files, "", |source| source.core = k)
    };
    let data = core(2).unwrap();
    assert_eq!(train_of(&data), pairs("a x, a y, b x"));
    assert_eq!(test_of(&data), pairs("b y"));
    let note = "2-core: 2 of 4 users, 2 of 3 items and 4 of 7 interactions remain";
    assert_eq!(data.notes, [note]);
    assert_eq!(all_of(&core(1).unwrap()).len(), 7);
    let error = core(3).unwrap_err();
    let none = "DIR: of 7 interactions none remains to learn from; 3-core: 0 of 4 users";
    assert!(error.starts_with(none), "{error}");
}

#[test]
fn what_a_test_part_brings_is_told() {
    let train = "a\tx\na\tx\na\ty\nb\tx\n";
    let test = "a\tz\nb\tx\nb\ty\nc\tx\nc\tv\nd\tx\n";
    let data = read(&[("train.tsv", train), ("test.tsv", test)]).unwrap();
    assert_eq!(test_of(&data), pairs("a z, b x, b y"));
    let sizes = (data.tokens.users.len(), data.tokens.items.len());
    assert_eq!(sizes, (2, 3));
    assert_eq!(
        data.notes,
        [
            "counted once: 1 repeated interaction",
            "in no ranking, being training data too: 1 test interaction",
            "left out: 2 users without training data, with 3 test interactions",
            "in the test part only: 1 item",
        ]
    );
}

/// Users 0 to 29 with user + 1 items each, item 29 belonging to the last one alone.
fn staircase() -> String {
    let line = |(user, item)| format!("{user}\t{item}\n");
    let pairs = (0..30).flat_map(|user| (0..=user).map(move |item| (user, item)));
    pairs.map(line).collect()
}

#[test]
fn one_part_is_split_by_seed() {
    let text = staircase();
    let with = |seed| {
        read_with(&[("all.tsv", &text)], "all.tsv", |source| {
            source.seed = seed;
        })
    };
    let data = with(3).unwrap().dataset;
    assert_eq!(with(3).unwrap().dataset, data);
    assert_ne!(with(4).unwrap().dataset, data);
    for user in 1..30 {
        assert_eq!(
            data.train.of(user).len(),
            ((user + 1) * 4 / 5).max(1),
            "{user}"
        );
    }
    assert_eq!(
        with(3).unwrap().notes[0],
        "split 80/20 per user with seed 3"
    );
    // Some seed puts the last user's own item into the test part, where nobody could find it.
    let dropped = (0..50).find_map(|seed| with(seed).unwrap().notes.get(1).cloned());
    let note = dropped.expect("a fifth of the seeds do");
    assert!(note.contains("with items that no user trains on"), "{note}");
}

#[test]
fn parts_are_joined_for_a_new_split() {
    let text = staircase();
    let (train, test) = text.split_at(text.find("20\t0\n").unwrap());
    let both = format!("{test}4\t0\n");
    let files = [("train.tsv", train), ("test.tsv", &both)];
    let anew = read_with(&files, "", |source| source.split = Split::Anew).unwrap();
    let alone = read_file("all.tsv", &text).unwrap();
    assert_eq!(
        (&anew.dataset, &anew.tokens),
        (&alone.dataset, &alone.tokens)
    );
    assert_eq!(anew.notes[0], "counted once: 1 repeated interaction");
    let lists: Vec<Vec<u32>> = (1..=30).map(|items| (0..items).collect()).collect();
    let all = Interactions::from_lists(30, &lists).unwrap();
    assert_eq!(anew.dataset, split::train_test_known(&all, 0).unwrap());
}

#[test]
fn formats_go_by_their_names() {
    for name in Format::NAMES {
        assert_eq!(name.parse::<Format>().unwrap().to_string(), name);
        let json = format!("\"{name}\"");
        assert_eq!(
            serde_json::from_str::<Format>(&json).unwrap().to_string(),
            name
        );
    }
    let error = "tsv".parse::<Format>().unwrap_err().to_string();
    assert!(error.contains("unknown format `tsv`, expected one of: auto, ir-benchmark"));
}
