//! Bad input: one error, which names the argument, what was expected and what came.

use super::{
    bad_shapes::estimated,
    losses::{Form, Wide},
    numbers::{numbers, wide},
};
use wgloss::{
    Batch, Columns, DynLoss, Exclude, GivenScores, Lists, Matrix, Positives, Reduction, Result,
    Want, cpu,
    loss::{AdvInfoNce, ArcFace, Sl},
};

/// The queries are as many as the candidates: 6 of width 2.
const TABLE: &[f32] = &[
    1.0, 0.5, -1.0, 2.0, 0.25, 1.0, -0.5, 0.75, 2.0, 1.0, 1.5, -2.0,
];
const POSITIVES: &[u32] = &[0, 1, 2, 3, 4, 5];
const ZEROS: &[f32] = &[0.0; 64];
const WIDE: &[f64] = &[0.0; 64];
const NAN_WIDE: &[f64] = &[0.0, 0.0, 0.0, f64::NAN, 0.0, 0.0];
const NAN: &[f32] = &[
    0.0,
    0.0,
    0.0,
    f32::NAN,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
];
const IDS: &[u32] = &[0; 64];
const SAMPLED: Columns<'static> = Columns::Sampled {
    ids: IDS.split_at(12).0,
    per_row: 2,
};
const SHARED: Columns<'static> = Columns::Shared(IDS.split_at(4).0);

fn batch() -> Batch<'static> {
    with(&POSITIVES[..6], TABLE).expect("a batch")
}

fn with(positives: &'static [u32], candidates: &'static [f32]) -> Result<Batch<'static>> {
    Batch::new(
        Matrix::new("queries", TABLE, 2)?,
        Matrix::new("candidates", candidates, 2)?,
        Positives::One(positives),
    )
}

fn classes() -> Batch<'static> {
    let batch = with(&[0, 1, 2, 0, 1, 2], TABLE);
    batch
        .and_then(|batch| batch.columns_per_class(2))
        .expect("classes")
}

fn sampled() -> Batch<'static> {
    batch().columns(SAMPLED).expect("columns")
}

fn given() -> Batch<'static> {
    Batch::from_scores(scores()).expect("scores")
}

fn scores() -> GivenScores<'static> {
    GivenScores {
        positives: &ZEROS[..6],
        columns: &ZEROS[..18],
        per_row: 3,
        reference: None,
    }
}

/// The error names these, in this order.
#[track_caller]
fn names<T>(result: Result<T>, words: &[&str]) {
    let Err(error) = result else {
        panic!("taken: {words:?}");
    };
    let text = error.to_string();
    let mut rest = &text[..];
    for word in words {
        let at = (rest.find(word)).unwrap_or_else(|| panic!("{text}: no {word}"));
        rest = &rest[at + word.len()..];
    }
    assert!(!text.contains('\n'), "{text}");
}

#[test]
fn numbers_per_row() {
    let at = |numbers: &'static [f64], per_row| batch().row_parameters(numbers, per_row);
    names(at(&WIDE[..0], 0), &["row_parameters", "1 to 2", "got 0"]);
    names(at(&WIDE[..18], 3), &["row_parameters", "1 to 2", "got 3"]);
    names(at(&WIDE[..11], 2), &["row_parameters", "12", "got 11"]);
    names(at(&WIDE[..12], 1), &["row_parameters", "6", "got 12"]);
    names(at(NAN_WIDE, 1), &["row_parameters[3]", "finite", "NaN"]);
    let of_given = given().row_parameters(&WIDE[..5], 1);
    names(of_given, &["row_parameters", "6", "got 5"]);
}

#[test]
fn numbers_per_candidate() {
    let at = |numbers: &'static [f32]| batch().column_parameters(numbers);
    names(at(&ZEROS[..7]), &["column_parameters", "6", "got 7"]);
    names(at(&NAN[..6]), &["column_parameters[3]", "finite", "NaN"]);
    // They belong to candidates, not to classes.
    let of_classes = classes().column_parameters(&ZEROS[..3]);
    names(of_classes, &["column_parameters", "6", "got 3"]);
    let of_given = given().column_parameters(&ZEROS[..1]);
    names(of_given, &["column_parameters", "embeddings", "given"]);
}

#[test]
fn numbers_per_entry() {
    let short = sampled().entry_constants(&ZEROS[..11]);
    names(short, &["entry_constants", "12", "got 11"]);
    let nan = sampled().entry_constants(NAN);
    names(nan, &["entry_constants[3]", "finite", "NaN"]);
    for batch in [batch(), batch().columns(SHARED).expect("columns")] {
        let early = batch.entry_constants(&ZEROS[..12]);
        names(early, &["entry_constants", "sampled", "none"]);
    }
    let of_given = given().entry_constants(&ZEROS[..18]);
    names(of_given, &["entry_constants", "embeddings", "given"]);
    // Other columns have no use for the numbers of those before.
    let batch = sampled().entry_constants(&ZEROS[..12]).expect("numbers");
    let batch = batch.columns(Columns::All).expect("columns");
    assert!(!batch.shape().expect("a shape").entry_constants);
}

#[test]
fn rows_against_themselves() {
    let other = with(POSITIVES.split_at(5).0, &TABLE[..10]);
    let other = with(&[0, 1, 2, 3, 4, 0], &TABLE[..10]).or(other);
    let taller = other.expect("a batch").exclude_self();
    names(taller, &["candidates", "6", "got 5"]);
    for method in [Batch::exclude_self, Batch::positives_in_columns] {
        names(method(sampled()), &["all or shared", "sampled"]);
        let batch = method(batch()).expect("it is taken");
        let after = batch.clone().columns(SAMPLED);
        names(after, &["columns", "all or shared", "sampled"]);
        batch.columns(SHARED).expect("shared columns are taken");
        names(method(given()), &["embeddings", "given"]);
    }
    names(
        classes().exclude_self(),
        &["exclude_self", "one", "several"],
    );
}

#[test]
fn classes_of_several_candidates() {
    for count in [0, 4, 5, 7] {
        let (count, actual) = (count, format!("got {count}"));
        let words = ["columns_per_class", "divisor of 6", &actual];
        names(batch().columns_per_class(count), &words);
    }
    // Ids of candidates are no classes.
    let ids = batch().columns_per_class(2);
    names(ids, &["positives[3]", "3", "has 3"]);
    let lists = Lists {
        offsets: &[0, 1, 2, 2, 2, 2, 2],
        ids: &[2, 3],
    };
    for exclude in [Exclude::ByRow(lists), Exclude::ByQuery(lists)] {
        names(classes().exclude(exclude), &["exclude[1]", "3", "has 3"]);
        let before = with(&[0, 1, 2, 0, 1, 2], TABLE).and_then(|batch| batch.exclude(exclude));
        let after = before.and_then(|batch| batch.columns_per_class(2));
        names(after, &["exclude[1]", "3", "has 3"]);
    }
    for columns in [SHARED, SAMPLED] {
        names(classes().columns(columns), &["columns", "all", "listed"]);
        let before = (with(&[0; 6], TABLE)).and_then(|batch| batch.columns(columns));
        let after = before.and_then(|batch| batch.columns_per_class(2));
        names(after, &["columns_per_class", "all", "other"]);
    }
    let own = batch().exclude_self().expect("as many");
    names(own.columns_per_class(1 + 1), &["columns_per_class", "all"]);
    names(given().columns_per_class(1), &["embeddings", "given"]);
    // Rows name queries, of which there are as many as before.
    let rows = classes().rows(&[5; 6]).expect("ids of queries");
    names(rows.rows(&[6; 6]), &["rows[0]", "6", "has 6"]);
    let table = |name| Matrix::new(name, TABLE, 2).expect("a table");
    let second = classes().second(table("adv_queries"), table("adv_candidates"));
    let second = second.expect("the loss refuses it");
    let refused = cpu::evaluate::<f64>(&AdvInfoNce::default(), &second, Want::BOTH);
    names(refused, &["sub-centres", "one pair of tables"]);
    // Back to single candidates.
    let single = classes().columns_per_class(1).expect("a divisor");
    single.columns(SHARED).expect("classes of one candidate");
}

#[test]
fn scores_in_place_of_embeddings() {
    let of = |change: fn(&mut GivenScores<'static>)| {
        let mut given = scores();
        change(&mut given);
        Batch::from_scores(given)
    };
    names(
        of(|given| given.positives = &[]),
        &["scores", "at least one row", "0 rows"],
    );
    names(
        of(|given| (given.columns, given.per_row) = (&[], 0)),
        &["scores", "column", "0 columns"],
    );
    names(
        of(|given| given.columns = &ZEROS[..17]),
        &["column_scores", "18", "got 17"],
    );
    names(
        of(|given| given.positives = &NAN[..6]),
        &["positive_scores[3]", "finite", "NaN"],
    );
    names(
        of(|given| (given.columns, given.per_row) = (NAN, 2)),
        &["column_scores[3]", "finite", "NaN"],
    );
    names(
        of(|given| given.reference = Some((&ZEROS[..5], &ZEROS[..18]))),
        &["reference_positive_scores", "6", "got 5"],
    );
    names(
        of(|given| given.reference = Some((&ZEROS[..6], &ZEROS[..19]))),
        &["reference_column_scores", "18", "got 19"],
    );
    names(
        of(|given| given.reference = Some((&NAN[..6], &ZEROS[..18]))),
        &["reference_positive_scores[3]", "finite", "NaN"],
    );
    // B × per row is more than there can be: no overflow that looks like a fit.
    names(
        of(|given| given.per_row = usize::MAX / 2),
        &["column_scores", "numbers", "got 18"],
    );
    let many = Columns::Sampled {
        ids: &[],
        per_row: usize::MAX / 3 + 1,
    };
    names(batch().columns(many), &["negatives", "got 0"]);
}

#[test]
fn given_scores_take_nothing_of_tables() {
    let table = |name| Matrix::new(name, TABLE, 2).expect("a table");
    let lists = Exclude::ByRow(Lists {
        offsets: &[0; 7],
        ids: &[],
    });
    let words = &["embeddings", "given scores"];
    names(given().rows(&[0; 6]), words);
    names(given().columns(Columns::All), words);
    names(given().exclude(lists), words);
    names(given().log_q(&ZEROS[..1]), words);
    let (queries, candidates) = (table("queries"), table("candidates"));
    names(given().tables(queries, candidates), words);
    names(given().second(queries, candidates), words);
    names(given().weights(&ZEROS[..5]), &["weights", "6", "got 5"]);
    let upstream = Reduction::None {
        upstream: &ZEROS[..7],
    };
    names(given().reduction(upstream), &["upstream", "6", "got 7"]);
    let angles = cpu::evaluate::<f64>(&ArcFace::default(), &given(), Want::BOTH);
    names(angles, &["arc_face", "no angles"]);
}

/// Loss and batch fit each other, on both paths.
#[test]
fn numbers_that_a_loss_does_not_take_or_misses() {
    let refused = |loss: &dyn DynLoss, batch: &Batch<'_>, words: &[&str]| {
        names(cpu::evaluate::<f64>(loss, batch, Want::BOTH), words);
        let shape = batch.shape().expect("a shape");
        names(estimated(loss, &shape), words);
    };
    let loss = &Sl::new(0.5);
    let rows = batch().row_parameters(&WIDE[..6], 1).expect("numbers");
    refused(loss, &rows, &["row_parameters", "0 numbers", "got 1"]);
    let columns = batch().column_parameters(&ZEROS[..6]).expect("numbers");
    refused(loss, &columns, &["column_parameters", "none", "got given"]);
    let entries = sampled().entry_constants(&ZEROS[..12]).expect("numbers");
    refused(loss, &entries, &["entry_constants", "none", "got given"]);
    let loss = &Wide(Form::Entries);
    refused(loss, &sampled(), &["row_parameters", "2 numbers", "got 0"]);
    let few = sampled().row_parameters(&WIDE[..6], 1).expect("numbers");
    refused(loss, &few, &["row_parameters", "2 numbers", "got 1"]);
    let rows = sampled().row_parameters(&WIDE[..12], 2).expect("numbers");
    refused(loss, &rows, &["column_parameters", "given", "got none"]);
    let columns = rows.column_parameters(&ZEROS[..6]).expect("numbers");
    refused(loss, &columns, &["entry_constants", "given", "got none"]);
}

/// A factor that is no number.
#[test]
fn factors() {
    for factor in [f32::NAN, f32::INFINITY] {
        names(batch().factor(factor), &["factor", "finite"]);
    }
    // Random numbers are taken: nothing above fails for another reason.
    let numbers = wide(&numbers(12, 1));
    batch().row_parameters(&numbers, 2).expect("finite numbers");
}
