//! What each format reads as.

use wgloss::train::{Dataset, Interactions, read::Format};

use crate::{all_of, pairs, read, read_file, read_with, test_of, train_of};

const HEADER: &str = "user_procid\titem_procid\n";

#[test]
fn dense_numbers_stay_whatever_the_line_ends() {
    let expected = |pairs: &[(u32, u32)]| Interactions::from_pairs(3, 11, pairs).unwrap();
    let items: String = (0..11).map(|item| format!("1\t{item}\n")).collect();
    let rows = |test: &[(u32, u32)]| {
        let more = (0..11).map(|item| (1, item));
        let train: Vec<_> = [(0, 3), (0, 5), (2, 0)].into_iter().chain(more).collect();
        Dataset {
            train: expected(&train),
            test: expected(test),
        }
    };
    let test = format!("{HEADER}2\t9\n");
    for train in [
        format!("{HEADER}2\t0\n0\t5\n0\t3\n0\t5\n{items}"),
        format!("{HEADER}{items}0\t3\n0\t5\n2\t0"),
        format!("user\titem\r\n0\t3\r\n0\t5\r\n\r\n2\t0\r\n{items}"),
        format!("\u{feff}0 3\n0  5\n2\t0\t\n\n{items}"),
    ] {
        let data = read(&[("train.tsv", &train), ("test.tsv", &test)]).unwrap();
        assert_eq!(data.dataset, rows(&[(2, 9)]), "{train:?}");
        assert_eq!(data.tokens.items.get(10), Some("10"));
    }
}

#[test]
fn gaps_close_up_and_names_are_sorted() {
    let files = [
        ("train.tsv", "70\tpear\n9\tapple\n4294967296\tfig\n"),
        ("test.tsv", "9\tpear\n"),
    ];
    let read = read(&files).unwrap();
    let users: Vec<_> = read.tokens.users.iter().collect();
    let items: Vec<_> = read.tokens.items.iter().collect();
    assert_eq!(users, ["9", "70", "4294967296"]);
    assert_eq!(items, ["apple", "fig", "pear"]);
    assert_eq!(read.dataset.test.of(0), [2]);
    assert_eq!(read.notes, Vec::<String>::new());
}

#[test]
fn one_token_that_is_no_decimal_sorts_all_by_bytes() {
    for (items, order) in [
        (["10", "9", "0"], ["0", "9", "10"]),
        (["10", "9", "00"], ["00", "10", "9"]),
        (["10", "9", "é"], ["10", "9", "é"]),
    ] {
        let lines: String = items.iter().map(|item| format!("u\t{item}\n")).collect();
        let read = read_file("data.tsv", &lines).unwrap();
        assert_eq!(read.tokens.items.iter().collect::<Vec<_>>(), order);
    }
}

#[test]
fn adjacency_lists() {
    let train = "0 1 2\n7\n1 2  0 \r\n\n";
    let data = read(&[("train.txt", train), ("test.txt", "1 1\n0\n")]).unwrap();
    assert_eq!(train_of(&data), pairs("0 1, 0 2, 1 2, 1 0"));
    assert_eq!(test_of(&data), pairs("1 1"));
    assert_eq!(data.notes, ["left out: 1 user without interactions"]);

    let list = |source: &mut wgloss::train::read::Source| source.format = Format::Adjacency;
    let data = read_with(&[("all", "a x y z\nb z y x\n")], "all", list).unwrap();
    assert_eq!(all_of(&data), pairs("a x, a y, a z, b x, b y, b z"));
    assert_eq!((data.dataset.train.len(), data.dataset.test.len()), (4, 2));
}

const TYPED: &str = "timestamp:float\tuser_id:token\trating:float\titem_id:token\n";

#[test]
fn inter_files_alone_and_in_parts() {
    let all = format!("{TYPED}9\ta\t3\tx\n8\tb\t1\ty\n7\tc\t2\tw\n6\td\t5\tz\n");
    let alone = read_file("ml.inter", &all).unwrap();
    assert_eq!(all_of(&alone), pairs("a x, b y, c w, d z"));
    assert_eq!(
        read(&[("ml.inter", &all), ("ml.user", "")]),
        Ok(alone.clone())
    );
    // A typed header tells the format under any name.
    assert_eq!(read_file("ml.data", &all).unwrap().dataset, alone.dataset);
    // Without the usual names, the first two columns of tokens.
    let other = all.replace("user_id", "who").replace("item_id", "what");
    assert_eq!(read_file("ml.inter", &other).unwrap(), alone);
    let swapped = all
        .replace("user_id:token", "what:token")
        .replace("item_id", "user_id");
    assert_eq!(
        all_of(&read_file("a.inter", &swapped).unwrap()),
        pairs("x a, y b, w c, z d")
    );

    let (train, test) = (
        format!("{TYPED}1\ta\t3\tx\n"),
        format!("{TYPED}3\ta\t3\tz\n"),
    );
    let valid = format!("{TYPED}2\ta\t3\ty\n");
    let mut files = vec![("ml.train.inter", &train[..]), ("ml.test.inter", &test)];
    let data = read(&files).unwrap();
    assert_eq!(
        (train_of(&data), test_of(&data)),
        (pairs("a x"), pairs("a z"))
    );
    files.push(("ml.valid.inter", &valid));
    let data = read(&files).unwrap();
    assert_eq!(
        (train_of(&data), test_of(&data)),
        (pairs("a x, a y"), pairs("a z"))
    );
    assert!(data.notes[0].starts_with("ml.valid.inter is read as training data"));
}

#[test]
fn columns_between_any_separator() {
    // Users with one item each, none of which goes into the test part.
    let expected = pairs("u1 i1, u2 i2, u3 i1, u4 i4");
    let body = "u1\ti1\t5\nu2\ti2\t4\nu3\ti1\t3\nu4\ti4\t2\n";
    for separator in ["\t", ",", ";", "::", " ", "  ", " , "] {
        for header in [
            "",
            "user\titem\trating\n",
            "\u{feff}reviewer\tasin\toverall\n",
        ] {
            let text = format!("{header}{body}").replace('\t', separator);
            let read = read_file("data", &text).unwrap();
            assert_eq!(all_of(&read), expected, "{text}");
            let note = "data: line 1 is taken for a header".to_owned();
            let told = read.notes.contains(&note);
            assert_eq!(told, header.contains("asin"), "{text}");
        }
    }
}

#[test]
fn quoted_fields_hold_anything() {
    let text = "\"user\",\"item\",\"text\"\n\"a, b\",\"the \"\"x\"\"\",\"two\nlines, 12\"\"\"\r\n\
                \n c ,d e,it's 5\" long\n";
    let data = read_file("data.csv", text).unwrap();
    let name = |user: &str, item: &str| (user.to_owned(), item.to_owned());
    let expected = [name("a, b", "the \"x\""), name("c", "d e")];
    assert_eq!(all_of(&data), expected.into());
}

#[test]
fn a_first_line_of_words_is_data() {
    let data = read_file("data.csv", "anna,pear\nbert,fig\n").unwrap();
    assert_eq!(train_of(&data), pairs("anna pear, bert fig"));
    assert_eq!(data.notes, ["split 80/20 per user with seed 0"]);
}
