//! Reading data folders, and the planted set.
#![cfg(feature = "train")]

use std::fs;

use wgloss::train::{Dataset, Interactions, Planted, ir_benchmark};

/// Writes the two files and reads them back.
fn read(train: &[u8], test: &[u8]) -> Result<Dataset, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("train.tsv"), train).unwrap();
    fs::write(folder.path().join("test.tsv"), test).unwrap();
    let prefix = format!("{}/", folder.path().display());
    ir_benchmark::read(folder.path()).map_err(|error| error.to_string().replace(&prefix, ""))
}

const HEADER: &str = "user_procid\titem_procid\n";

fn with_header(body: &str) -> Vec<u8> {
    format!("{HEADER}{body}").into_bytes()
}

#[test]
fn a_folder_is_read_whatever_its_line_ends() {
    let pairs = |pairs: &[(u32, u32)]| Interactions::from_pairs(4, 10, pairs).unwrap();
    let expected = Dataset {
        train: pairs(&[(0, 3), (0, 5), (2, 0)]),
        test: pairs(&[(3, 9)]),
    };
    let test = with_header("3\t9\n");
    for train in [
        format!("{HEADER}2\t0\n0\t5\n0\t3\n0\t5\n"),
        format!("{HEADER}0\t3\n0\t5\n2\t0"),
        "user\titem\r\n0\t3\r\n0\t5\r\n\r\n2\t0\r\n".to_owned(),
        "\u{feff}0 3\n0  5\n2\t0\t\n\n".to_owned(),
    ] {
        let data = read(train.as_bytes(), &test);
        assert_eq!(data.as_ref(), Ok(&expected), "{train:?}");
    }
}

#[test]
fn a_bad_line_is_named_with_its_number() {
    let good = with_header("0\t1\n");
    for (train, line, shown) in [
        (with_header("0\t1\n0\tx\n"), 3, "0\\tx"),
        (with_header("0\t1\n0\n"), 3, "0"),
        (with_header("0\t1\t5\n"), 2, "0\\t1\\t5"),
        (with_header("-1\t1\n"), 2, "-1\\t1"),
        (with_header("0\t4294967295\n"), 2, "0\\t4294967295"),
        (with_header("0\t99999999999\n"), 2, "0\\t99999999999"),
        (with_header("0,1\n"), 2, "0,1"),
        (b"0\tx\n0\t1\n".to_vec(), 1, "0\\tx"),
        (b"one\n0\t1\n".to_vec(), 1, "one"),
        (b"user\titem\n\xff\t\0\n".to_vec(), 2, "\u{fffd}\\t\\0"),
    ] {
        let expected = format!(
            "train.tsv:{line}: expected two ids from 0 to 4294967294, `user<TAB>item`, got `{shown}`"
        );
        assert_eq!(read(&train, &good).unwrap_err(), expected);
    }
    let long = with_header(&"9".repeat(1000));
    assert!(read(&good, &long).unwrap_err().len() < 200);
}

#[test]
fn empty_and_missing_files_are_errors() {
    let good = with_header("0\t1\n");
    let empty = "train.tsv: the file holds no interactions";
    assert_eq!(read(b"", &good).unwrap_err(), empty);
    assert_eq!(read(HEADER.as_bytes(), &good).unwrap_err(), empty);
    let error = read(&good, b"\n\n").unwrap_err();
    assert!(error.starts_with("test.tsv: "), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let error = ir_benchmark::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("train.tsv: "), "{error}");
    fs::create_dir(folder.path().join("train.tsv")).unwrap();
    assert!(ir_benchmark::read(folder.path()).is_err());
}

#[test]
fn ids_that_would_need_absurd_tables_are_refused() {
    let good = with_header("0\t1\n");
    // 2 lines: 65,536 + 16 · 2 rows.
    assert!(read(&with_header("0\t65567\n"), &good).is_ok());
    let expected = "train.tsv:2: item id 65568: ids must be numbered densely from 0, data of this \
                    size may use ids below 65568";
    assert_eq!(
        read(&with_header("0\t65568\n"), &good).unwrap_err(),
        expected
    );
    let error = read(&good, &with_header("4294967294\t0\n")).unwrap_err();
    assert!(error.starts_with("test.tsv:2: user id 4294967294"));
}

#[test]
fn planted_sizes_and_seed() {
    let planted = Planted {
        users: 600,
        items: 400,
        interactions: 18_000,
        clusters: 8,
        seed: 5,
    };
    let data = planted.generate().unwrap();
    assert_eq!(data.train.len() + data.test.len(), 18_000);
    assert_eq!((data.train.users(), data.train.items()), (600, 400));
    for user in 0..600 {
        let (train, test) = (data.train.of(user), data.test.of(user));
        assert_eq!(train.len(), (train.len() + test.len()) * 4 / 5);
        assert!(train.iter().all(|item| test.binary_search(item).is_err()));
    }
    assert_eq!(planted.generate().unwrap(), data);
    let other = Planted { seed: 6, ..planted };
    assert_ne!(other.generate().unwrap(), data);
}

#[test]
fn planted_tails_are_long() {
    let data = Planted::default().generate().unwrap();
    let train = &data.train;
    assert_eq!(train.len() + data.test.len(), 1_000_000);
    let mut counts = train.item_counts();
    counts.sort_unstable();
    let head: u32 = counts[9_000..].iter().sum();
    let share = f64::from(head) / train.len() as f64;
    assert!((0.4..0.7).contains(&share), "top tenth has {share}");
    assert!(counts[0] > 0, "every item can be learned");
    let mut activity: Vec<_> = (0..20_000).map(|user| train.of(user).len()).collect();
    activity.sort_unstable();
    assert!(activity[0] >= 10 && activity[10_000] < 40 && activity[19_999] > 300);
}

#[test]
fn planted_extremes() {
    let planted = |users, items, interactions, clusters| Planted {
        users,
        items,
        interactions,
        clusters,
        seed: 0,
    };
    // As full as allowed, and as small.
    let full = planted(50, 10, 250, 10).generate().unwrap();
    assert_eq!(full.train.len() + full.test.len(), 250);
    assert_eq!(planted(1, 2, 1, 1).generate().unwrap().train.len(), 1);
    for (bad, parameter) in [
        (planted(0, 10, 5, 1), "users = 0"),
        (planted(5, 0, 5, 1), "items = 0"),
        (planted(5, 10, 26, 1), "interactions = 26"),
        (planted(5, 10, 5, 11), "clusters = 11"),
        (
            planted(usize::MAX, 10, 5, 1),
            "users = 18446744073709551615",
        ),
    ] {
        let error = bad.generate().unwrap_err().to_string();
        assert!(error.contains(parameter), "{error}");
    }
}
