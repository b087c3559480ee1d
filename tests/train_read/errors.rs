//! Every bad input is one message with its place.

use std::fs;

use wgloss::train::read::{Format, Source};

use crate::{folder, read, read_file, read_with};

const GOOD: &str = "user\titem\n0\t1\n";

fn train(text: &str) -> String {
    read(&[("train.tsv", text), ("test.tsv", GOOD)]).unwrap_err()
}

#[test]
fn a_bad_line_of_two_columns_is_shown() {
    for (text, line, shown) in [
        ("user\titem\n0\t1\n0\n", 3, "0"),
        ("user\titem\n0\t1\t5\n", 2, "0\\t1\\t5"),
        ("user\titem\n0,1\n", 2, "0,1"),
        ("one\n0\t1\n", 1, "one"),
        ("user\titem\tmore\n0\t1\n", 1, "user\\titem\\tmore"),
        ("\r\n\r\n0 1\r\nx\r\n", 4, "x"),
    ] {
        let expected = format!(
            "train.tsv:{line}: expected a user and an item, `user<TAB>item`, got `{shown}`"
        );
        assert_eq!(train(text), expected);
    }
    let long = format!("user\titem\n{}", "ä".repeat(1000));
    assert!(train(&long).chars().count() < 200);
}

#[test]
fn ids_have_to_be_there() {
    let expected = "train.tsv:2: expected an item that is not empty and stays on its line, got ";
    assert_eq!(train("a\tb\na\t\n"), format!("{expected}`a\\t`"));
    assert_eq!(train("a\tb\na\t \r\n"), format!("{expected}`a\\t `"));
    let error = train("a\tb\na\tb\rc\n");
    assert_eq!(error, format!("{expected}`a\\tb\\rc`"));
    assert!(train("\tb\nc\td\n").starts_with("train.tsv:1: expected a user that is not empty"));
    let error = read_file("a.csv", "a,b\n\"c\nd\",e\n").unwrap_err();
    assert!(
        error.starts_with("a.csv:2: expected a user that is not empty"),
        "{error}"
    );
}

#[test]
fn other_bytes_than_utf8_are_told_with_their_line() {
    let folder = folder(&[("test.tsv", GOOD)]);
    fs::write(folder.path().join("train.tsv"), b"a\tb\n\xff\tb\n").unwrap();
    let error = Source::new(folder.path()).read().unwrap_err().to_string();
    assert!(
        error.ends_with("train.tsv:2: expected UTF-8, got other bytes"),
        "{error}"
    );
}

#[test]
fn empty_and_missing_files() {
    let empty = "train.tsv: the file holds no interactions";
    for text in ["", "\n\r\n", "user\titem\n", "\u{feff}"] {
        assert_eq!(train(text), empty, "{text:?}");
    }
    let error = read(&[("train.tsv", GOOD), ("test.tsv", "\n")]).unwrap_err();
    assert_eq!(error, empty.replace("train", "test"));
    assert_eq!(
        read_file("a.inter", "").unwrap_err(),
        empty.replace("train.tsv", "a.inter")
    );
    assert_eq!(
        read_file("a.csv", "").unwrap_err(),
        empty.replace("train.tsv", "a.csv")
    );
    let lonely = read(&[("train.txt", "0 1\n"), ("test.txt", "0\n1\n")]).unwrap_err();
    assert_eq!(lonely, empty.replace("train.tsv", "test.txt"));

    for (given, missing) in [("train.tsv", "test.tsv"), ("test.txt", "train.txt")] {
        let error = read(&[(given, GOOD)]).unwrap_err();
        assert!(error.starts_with(&format!("{missing}: ")), "{error}");
    }
    #[cfg(unix)]
    {
        let error = Source::new("/dev/null").read().unwrap_err().to_string();
        assert!(error.ends_with("name the format"), "{error}");
    }
    let error = Source::new("no/such/data").read().unwrap_err().to_string();
    assert!(error.starts_with("no/such/data: "), "{error}");
}

#[test]
fn formats_that_do_not_fit_say_what_would() {
    let error = read(&[("a.csv", "1,2\n")]).unwrap_err();
    let expected = "DIR: expected a folder with train.tsv and test.tsv (ir-benchmark), train.txt and \
                    test.txt (adjacency), or .inter files (inter), or one file, got a.csv";
    assert_eq!(error, expected);
    assert!(read(&[]).unwrap_err().ends_with("got none"));
    let error = read(&[("train.tsv", GOOD), ("train.txt", "0 1\n")]).unwrap_err();
    assert!(error.ends_with("got several: name the format"), "{error}");
    let inter = [("a.inter", ""), ("b.test.inter", ""), ("b.train.inter", "")];
    let expected = "DIR: expected one .inter file, or X.train.inter and X.test.inter with or without \
                    X.valid.inter, got a.inter, b.test.inter, b.train.inter";
    assert_eq!(read(&inter).unwrap_err(), expected);

    let named = |format, path: &str| {
        let options = |source: &mut Source| source.format = format;
        read_with(&[("a", "0 1\n")], path, options).unwrap_err()
    };
    assert_eq!(
        named(Format::IrBenchmark, "a"),
        "a: ir-benchmark: expected a folder, got a file"
    );
    assert_eq!(
        named(Format::Columns, ""),
        "DIR: columns: expected a file, got a folder"
    );
    assert!(named(Format::Adjacency, "").starts_with("train.txt: "));
    assert!(named(Format::Inter, "").ends_with("got none"));
}

#[test]
fn lists_of_items_are_not_taken_for_columns() {
    let lists = "0 1 2\n1 2 3 4\n";
    let error = read_file("train.txt", lists).unwrap_err();
    let expected = "train.txt:2: expected 3 fields as in the first line (or else the format to be \
                    named: `columns`, or `adjacency` for lines of `user item item …`), got `1 2 3 4`";
    assert_eq!(error, expected);
    let columns = |source: &mut Source| source.format = Format::Columns;
    assert!(read_with(&[("a", lists)], "a", columns).is_ok());
    let error = read_file("a.csv", "1,2\n3\n").unwrap_err();
    assert_eq!(
        error,
        "a.csv:2: expected a user and an item, separated by a comma, got `3`"
    );
}

#[test]
fn headers_of_inter_files_are_checked() {
    let typed = "a header of names with types, `user_id:token<TAB>item_id:token`, the types being \
                 token, token_seq, float, float_seq";
    let columns = "columns for user and item of the type token";
    for (header, expected) in [
        ("user_id\titem_id", typed),
        ("user_id:token\titem_id:int", typed),
        ("0\t1", typed),
        ("user_id:token", columns),
        ("user_id:token\titem_id:token_seq", columns),
        ("a:float\tb:token", columns),
    ] {
        let error = read_file("a.inter", &format!("{header}\n0\t1\n")).unwrap_err();
        let shown = header.replace('\t', "\\t");
        assert_eq!(
            error,
            format!("a.inter:1: expected {expected}, got `{shown}`")
        );
    }
    let error = read_file("a.inter", "user_id:token\titem_id:token\n0\t1\n0\n").unwrap_err();
    assert_eq!(
        error,
        "a.inter:3: expected 2 fields as in the header, got `0`"
    );
}

#[test]
fn quotes_have_to_close() {
    let error = read_file("a.csv", "\n1,2,\"x\"\n\n3,4,\"y\n5,6,z\n").unwrap_err();
    assert_eq!(
        error,
        "a.csv:4: expected a quote to be closed, got `3,4,\"y`"
    );
}

#[test]
fn ratings_have_to_be_there_and_numbers() {
    let rated = |name: &str, text: &str, least: f64| {
        let options = |source: &mut Source| source.min_rating = Some(least);
        read_with(&[(name, text)], name, options).unwrap_err()
    };
    let wanted = "expected a rating, for min_rating, that is a finite number, got";
    assert_eq!(
        rated("a.csv", "1,2,3\n1,3\n", 3.0),
        format!("a.csv:2: {wanted} `1,3`")
    );
    assert_eq!(
        rated("a.csv", "1,2,3\n1,3,x\n", 3.0),
        format!("a.csv:2: {wanted} `1,3,x`")
    );
    assert!(rated("a.csv", "1,2,3\n1,3,NaN\n", 3.0).contains(wanted));
    let header = "user_id:token\titem_id:token\n";
    let error = rated("a.inter", &format!("{header}1\t2\n"), 3.0);
    assert!(
        error.starts_with("a.inter:1: expected a column `rating:float`"),
        "{error}"
    );
    let error = rated("a.csv", "1,2,3\n1,3,2\n", 4.0);
    let none = "a.csv: of 2 interactions none remains to learn from; left out: 2 interactions rated below 4";
    assert!(error.starts_with(none), "{error}");
    let error = rated("a.csv", "1,2,3\n", f64::NAN);
    assert_eq!(error, "data: min_rating = NaN: must be finite");
    let options = |source: &mut Source| source.min_rating = Some(3.0);
    let files = [("train.txt", "0 1\n"), ("test.txt", "0 2\n")];
    let error = read_with(&files, "", options).unwrap_err();
    assert_eq!(
        error,
        "DIR: min_rating = 3: expected an .inter file or columns, got a format without ratings"
    );
}
