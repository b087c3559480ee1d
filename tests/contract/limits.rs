//! Small bindings and a small scratch: the same bits, for everything that the contract offers.

use super::{
    device::{Run, full, gradients, narrow, run},
    losses::{Form, Wide},
    numbers::{ids, numbers, wide},
    state_losses::{Ranked, Remembering, Squared},
};
use wgloss::{
    Batch, Columns, DynLoss, Exclude, GivenScores, Lists, Matrix, Output, Positives, Want,
    check::judge,
    gpu::{Context, PlanOptions},
    loss::{Activation, AdvInfoNce, DynamicMargin, ExpFace, Psl, Score, Sl},
};

const DIM: usize = 24;

/// Row numbers, column numbers and everything else that a batch of `rows` rows over `N` candidates
/// may want.
struct Data {
    queries: Vec<f32>,
    candidates: Vec<f32>,
    rows: Vec<u32>,
    positives: Vec<u32>,
    row_parameters: Vec<f64>,
    column_parameters: Vec<f32>,
}

const QUERIES: usize = 70;
const ROWS: usize = 300;
const N: usize = 3000;

impl Data {
    fn new() -> Self {
        Data {
            queries: numbers(QUERIES * DIM, 1),
            candidates: numbers(N * DIM, 2),
            rows: ids(ROWS, QUERIES, 3),
            positives: ids(2 * ROWS, N, 4),
            row_parameters: wide(&numbers(2 * ROWS, 5)),
            column_parameters: numbers(N, 6),
        }
    }

    /// Repeated queries; one positive per row.
    fn batch(&self) -> Batch<'_> {
        self.with(Positives::One(&self.positives[..ROWS]))
    }

    fn with<'a>(&'a self, positives: Positives<'a>) -> Batch<'a> {
        let queries = Matrix::new("queries", &self.queries, DIM).expect("queries");
        let candidates = Matrix::new("candidates", &self.candidates, DIM).expect("candidates");
        let batch = Batch::new(queries, candidates, positives);
        (batch.and_then(|batch| batch.rows(&self.rows))).expect("a batch")
    }

    /// With the numbers that [`Wide`] reads.
    fn wide<'a>(&'a self, loss: &Wide, batch: Batch<'a>) -> Batch<'a> {
        (batch.row_parameters(&self.row_parameters, 2))
            .and_then(|batch| batch.column_parameters(&self.column_parameters))
            .and_then(|batch| batch.theta(theta(loss)))
            .expect("numbers")
    }
}

/// As many scalars as the loss has.
fn theta(loss: &dyn DynLoss) -> &'static [f64] {
    &[0.25, -0.5, 0.75, 0.125][..loss.spec().thetas]
}

fn bits(output: &Output<f32>) -> Vec<(&'static str, Vec<u32>)> {
    let words = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    let mut all = vec![
        ("value", words(&[output.value])),
        ("row_losses", words(&output.row_losses)),
        ("grad_theta", words(&output.grad_theta)),
    ];
    let after = output.row_parameters_after.as_deref().unwrap_or(&[]);
    all.push(("row_parameters_after", words(after)));
    let after = output.theta_after.as_deref().unwrap_or(&[]);
    all.push(("theta_after", words(after)));
    for (name, numbers) in gradients(output) {
        all.push((name, words(numbers)));
    }
    all
}

fn right(what: &str, loss: &dyn DynLoss, batch: &Batch<'_>, output: &Output<f32>) {
    for verdict in judge(loss, batch, &output.map(f64::from)).expect("it evaluates") {
        assert!(verdict.passed(), "{what}: {verdict:?}");
    }
}

/// With the default budget and a small one: right, and the same bits under each limit. `except`
/// names what is only right.
fn same(what: &str, loss: &dyn DynLoss, batch: &Batch<'_>, limits: &[u64], except: Option<&str>) {
    let parts = |context: &Context| {
        let run = Run::new(context, loss, batch, &PlanOptions::default());
        run.plan.parts()
    };
    for scratch in [64 << 20, 1 << 20] {
        let expected = run(full(), loss, batch, scratch);
        right(what, loss, batch, &expected);
        for limit in limits {
            let context = narrow(*limit);
            assert!(parts(&context) > parts(full()), "{what}: nothing is cut");
            let actual = run(&context, loss, batch, scratch);
            right(what, loss, batch, &actual);
            for ((name, actual), (_, expected)) in bits(&actual).iter().zip(bits(&expected)) {
                let same = *actual == expected || except == Some(*name);
                assert!(same, "{what}: {name}, {scratch} bytes, bindings of {limit}");
            }
        }
    }
}

/// Second moments, ranks over all candidates, and state that is renewed.
#[test]
fn moments_ranks_and_state() {
    let data = Data::new();
    let lists = ids(2 * QUERIES, N, 8);
    let offsets: Vec<u32> = (0..=QUERIES as u32).map(|query| 2 * query).collect();
    let excluded = Exclude::ByQuery(Lists {
        offsets: &offsets,
        ids: &lists,
    });
    let plain = || data.with(Positives::One(&data.positives[..ROWS]));
    let batch = plain().exclude(excluded).expect("lists");
    same("moments", &Squared(1.5), &batch, &[128 << 10], None);
    let per_row = 6;
    let sampled = ids(ROWS * per_row, N, 9);
    let columns = Columns::Sampled {
        ids: &sampled,
        per_row,
    };
    let batch = plain().columns(columns).expect("ids");
    same("ranks", &Ranked(Score::Cosine), &batch, &[300 << 10], None);
    let state = wide(&numbers(2 * QUERIES, 10));
    let batch = plain().query_parameters(&state, 2).expect("numbers");
    same("state", &Remembering, &batch, &[128 << 10], None);
    let dynamic = ExpFace {
        scale: 16.0,
        dynamic: DynamicMargin::BreakEven,
        ..ExpFace::default()
    };
    let batch = plain().theta(theta(&dynamic)).expect("numbers");
    same("dynamic margin", &dynamic, &batch, &[128 << 10], None);
}

#[test]
fn sub_centres() {
    let data = Data::new();
    let classes: Vec<u32> = data.positives.iter().map(|id| id / 3).collect();
    let lists = ids(2 * QUERIES, N / 3, 7);
    let offsets: Vec<u32> = (0..=QUERIES as u32).map(|query| 2 * query).collect();
    let dot = Sl {
        score: Score::Dot,
        ..Sl::new(0.7)
    };
    for loss in [&Sl::new(0.2) as &dyn DynLoss, &dot] {
        let batch = data
            .with(Positives::One(&classes[..ROWS]))
            .columns_per_class(3)
            .and_then(|batch| {
                batch.exclude(Exclude::ByQuery(Lists {
                    offsets: &offsets,
                    ids: &lists,
                }))
            })
            .expect("sub-centres");
        same("sub-centres", loss, &batch, &[128 << 10], None);
    }
    // Positives are columns, numbers of candidates and several pairs a row beside sub-centres.
    let offsets: Vec<u32> = (0..=ROWS as u32).map(|row| 2 * row).collect();
    let loss = Wide(Form::LogSum);
    let batch = data.with(Positives::Many(Lists {
        offsets: &offsets,
        ids: &classes,
    }));
    let batch = (batch.columns_per_class(3))
        .and_then(Batch::positives_in_columns)
        .expect("sub-centres");
    let batch = data.wide(&loss, batch);
    same("wide sub-centres", &loss, &batch, &[128 << 10], None);
}

#[test]
fn column_parameters() {
    let data = Data::new();
    let offsets: Vec<u32> = (0..=ROWS as u32).map(|row| 2 * row).collect();
    for form in [Form::LogSum, Form::Thresholds] {
        let loss = Wide(form);
        let batch = data.with(Positives::Many(Lists {
            offsets: &offsets,
            ids: &data.positives,
        }));
        let batch = data.wide(&loss, batch);
        same("all columns", &loss, &batch, &[64 << 10, 256 << 10], None);
    }
}

/// A listed column's slopes are added up over the rows before those of the next column of the same
/// candidate; where rows come in parts, part by part. So the last bits of the gradient depend on
/// the binding limit where all three meet: parts, repeats, column parameters. Parts need
/// limits of a few MiB, which no device has.
#[test]
fn column_parameters_of_a_shared_list() {
    let data = Data::new();
    let loss = Wide(Form::Thresholds);
    for (repeats, except) in [(false, None), (true, Some("grad_column_parameters"))] {
        let list: Vec<u32> = match repeats {
            false => (0..1500).map(|k| (k * 7) % N as u32).collect(),
            true => ids(1500, 400, 8),
        };
        let batch = data.batch().columns(Columns::Shared(&list)).expect("ids");
        let batch = data.wide(&loss, batch);
        same("shared columns", &loss, &batch, &[64 << 10], except);
        // A limit that cuts columns, not rows.
        let wide = &[1 << 20];
        let cut = Run::new(&narrow(wide[0]), &loss, &batch, &PlanOptions::default());
        assert_eq!(cut.plan.sizes().row_part, cut.plan.sizes().row_chunk);
        let expected = bits(&run(full(), &loss, &batch, 64 << 20));
        let actual = bits(&run(&narrow(wide[0]), &loss, &batch, 64 << 20));
        assert_eq!(actual, expected);
    }
}

#[test]
fn column_parameters_of_sampled_columns() {
    let data = Data::new();
    let loss = Wide(Form::Entries);
    let sampled = ids(ROWS * 130, 900, 9);
    let constants = numbers(ROWS * 130, 10);
    let columns = Columns::Sampled {
        ids: &sampled,
        per_row: 130,
    };
    let batch = (data.batch().columns(columns))
        .and_then(|batch| batch.entry_constants(&constants))
        .expect("columns");
    let batch = data.wide(&loss, batch);
    // The last two cut the slots of the fewest rows, the first one rows alone.
    let limits = [1536 << 10, 640 << 10, 320 << 10];
    same("sampled columns", &loss, &batch, &limits, None);
}

#[test]
fn given_scores() {
    let (rows, per_row) = (ROWS, 700);
    let random = |count: usize, seed: u64| numbers(count, seed);
    let (positives, columns) = (random(rows, 1), random(rows * per_row, 2));
    let reference = (random(rows, 3), random(rows * per_row, 4));
    let weights = random(rows, 5);
    let batch = Batch::from_scores(GivenScores {
        positives: &positives,
        columns: &columns,
        per_row,
        reference: Some((&reference.0, &reference.1)),
    });
    let batch = batch.and_then(|batch| batch.weights(&weights));
    let batch = batch.expect("scores");
    for loss in [
        &Sl::new(0.5) as &dyn DynLoss,
        &Psl::new(Activation::Tanh, 0.2),
    ] {
        same("given scores", loss, &batch, &[1 << 20], None);
    }
}

#[test]
fn second_tables() {
    let data = Data::new();
    let loss = AdvInfoNce::default();
    let width = 41;
    let queries = numbers(QUERIES * width, 11);
    let candidates = numbers(N * width, 12);
    let sampled = ids(ROWS * 70, 900, 13);
    for (columns, limits) in [
        (Columns::All, vec![128 << 10]),
        (Columns::Shared(&data.positives[..500]), vec![128 << 10]),
        (
            Columns::Sampled {
                ids: &sampled,
                per_row: 70,
            },
            vec![4 << 20, 1 << 20],
        ),
    ] {
        let table = |name, numbers| Matrix::new(name, numbers, width).expect("a table");
        let batch = (data.batch().columns(columns))
            .and_then(|batch| {
                batch.second(
                    table("adv_queries", &queries[..]),
                    table("adv_candidates", &candidates[..]),
                )
            })
            .expect("second tables");
        same(&format!("{columns:.20?}"), &loss, &batch, &limits, None);
    }
}

/// f16 tables hold the same numbers: the same bits, whatever is read of them.
#[test]
fn half_precision_with_sub_centres() {
    let data = Data::new();
    let half = |numbers: &[f32]| -> Vec<half::f16> {
        numbers.iter().map(|x| half::f16::from_f32(*x)).collect()
    };
    let (queries, candidates) = (half(&data.queries), half(&data.candidates));
    let back = |numbers: &[half::f16]| numbers.iter().map(|x| x.to_f32()).collect();
    let rounded = Data {
        queries: back(&queries),
        candidates: back(&candidates),
        ..Data::new()
    };
    let classes: Vec<u32> = data.positives.iter().map(|id| id / 3).collect();
    let narrow = narrow(128 << 10);
    // An odd width: rows start within words.
    for dim in [DIM, 15] {
        let rows = QUERIES * DIM / dim;
        let count = N * DIM / dim / 3 * 3;
        let queries = &queries[..rows * dim];
        let candidates = &candidates[..count * dim];
        let half = Batch::new(
            Matrix::new("queries", queries, dim).expect("queries"),
            Matrix::new("candidates", candidates, dim).expect("candidates"),
            Positives::One(&classes[..ROWS]),
        );
        let single = Batch::new(
            Matrix::new("queries", &rounded.queries[..rows * dim], dim).expect("queries"),
            Matrix::new("candidates", &rounded.candidates[..count * dim], dim).expect("candidates"),
            Positives::One(&classes[..ROWS]),
        );
        let [half, single] = [half, single].map(|batch| {
            (batch.and_then(|batch| batch.rows(&data.rows)))
                .and_then(|batch| batch.columns_per_class(3))
                .expect("a batch")
        });
        let loss = Sl::new(0.2);
        let expected = run(full(), &loss, &single, 64 << 20);
        right("f16", &loss, &half, &expected);
        for context in [full(), &narrow] {
            let actual = run(context, &loss, &half, 64 << 20);
            assert_eq!(bits(&actual), bits(&expected), "width {dim}");
        }
    }
}

/// The wants that only the new gradients make.
#[test]
fn one_gradient_alone() {
    let data = Data::new();
    let loss = Wide(Form::Thresholds);
    let batch = data.wide(&loss, data.batch());
    let both = run(full(), &loss, &batch, 64 << 20);
    let alone = Want {
        column_parameters: true,
        ..Want::NOTHING
    };
    let options = PlanOptions {
        want: alone,
        ..PlanOptions::default()
    };
    for context in [full(), &narrow(64 << 10)] {
        let one = Run::new(context, &loss, &batch, &options).from(f32::NAN);
        let one = one.expect("it evaluates");
        assert_eq!(gradients(&one).len(), 1);
        assert_eq!(one.grad_column_parameters, both.grad_column_parameters);
    }
}
