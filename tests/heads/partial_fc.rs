//! A step over sampled classes is the dense step over a table of those classes alone.

use crate::{GPU, numbers};
use wgloss::{
    Batch, Columns, DynLoss, IGNORED, Matrix, Output, Positives, Want, cpu,
    heads::{ClassSampler, add_pair_rows},
    loss::{ArcFace, Psl, Sl},
};

const DIM: usize = 12;
const CLASSES: usize = 90;
/// One class twice, a row without a class.
const LABELS: [u32; 7] = [31, 88, IGNORED, 4, 31, 0, 60];

fn matrix(numbers: &[f32]) -> Matrix<'_> {
    Matrix::new("table", numbers, DIM).expect("a table")
}

/// Evaluates with the whole table and sampled columns: compact, then one row per class.
fn sampled<R: Clone>(
    evaluate: impl Fn(&Batch<'_>, Want) -> Output<R>,
    (features, classes, ids): (&[f32], &[f32], &[u32]),
    add: impl Fn(Vec<R>) -> Vec<R>,
) -> (Output<R>, Vec<R>) {
    let batch = Batch::new(matrix(features), matrix(classes), Positives::One(&LABELS))
        .and_then(|batch| batch.columns(Columns::Shared(ids)))
        .expect("a batch");
    let compact = Want {
        compact: true,
        ..Want::BOTH
    };
    let mut output = evaluate(&batch, compact);
    let gradient = output.grad_candidates.take().expect("it is wanted");
    assert_eq!(gradient.len(), (ids.len() + LABELS.len()) * DIM);
    (output, add(gradient))
}

/// Evaluates with a table of the sampled classes, all of them columns, in f64.
fn restricted(loss: &dyn DynLoss, features: &[f32], classes: &[f32], ids: &[u32]) -> Output<f64> {
    let rows = ids
        .iter()
        .flat_map(|id| &classes[*id as usize * DIM..][..DIM]);
    let table: Vec<f32> = rows.copied().collect();
    let label = |label: &u32| ids.binary_search(label).map_or(IGNORED, |at| at as u32);
    let labels: Vec<u32> = LABELS.iter().map(label).collect();
    let batch = Batch::new(matrix(features), matrix(&table), Positives::One(&labels));
    cpu::evaluate(loss, &batch.expect("a batch"), Want::BOTH).expect("it evaluates")
}

fn same(what: &str, actual: &[f64], expected: &[f64], error: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (actual, expected) in actual.iter().zip(expected) {
        let difference = (actual - expected).abs();
        assert!(difference < error, "{what}: {actual}, not {expected}");
    }
}

fn agrees(what: &str, (output, rows): &(Output<f64>, Vec<f64>), dense: &Output<f64>, error: f64) {
    let queries = |output: &Output<f64>| output.grad_queries.clone().expect("it is wanted");
    let classes = dense.grad_candidates.clone().expect("it is wanted");
    same(what, &[output.value], &[dense.value], error);
    same(what, &output.row_losses, &dense.row_losses, error);
    same(what, &queries(output), &queries(dense), error);
    same(what, rows, &classes, error);
    assert!(
        classes.iter().any(|x| x.abs() > 1e-3),
        "{what}: no gradient"
    );
}

#[test]
fn sampled_classes_give_the_loss_over_them_alone() {
    let (features, classes) = (numbers(LABELS.len() * DIM, 3), numbers(CLASSES * DIM, 8));
    let arc_face = ArcFace {
        scale: 8.0,
        ..ArcFace::default()
    };
    let losses: [&dyn DynLoss; 3] = [&arc_face, &Sl::new(0.3), &Psl::default()];
    for (rate, count) in [(0.3, 27), (0.01, 5), (1.0, 90)] {
        let sampler = ClassSampler::new(CLASSES, rate, 6).expect("a rate");
        let ids = sampler.sample(&LABELS, 2).expect("ids");
        assert_eq!(ids.len(), count, "rate {rate}");
        let tables = (&features[..], &classes[..], &ids[..]);
        let add = |gradient| add_pair_rows(gradient, DIM, &ids, &LABELS).expect("it fits");
        for loss in losses {
            let what = format!("{loss:?}, rate {rate}");
            let dense = restricted(loss, &features, &classes, &ids);
            let on_cpu = |batch: &Batch<'_>, want| cpu::evaluate(loss, batch, want).expect("runs");
            agrees(&what, &sampled(on_cpu, tables, add), &dense, 1e-12);
        }
    }
}

#[test]
fn the_device_agrees_and_repeats_its_bits() {
    let (features, classes) = (numbers(LABELS.len() * DIM, 3), numbers(CLASSES * DIM, 8));
    let loss = ArcFace {
        scale: 8.0,
        ..ArcFace::default()
    };
    let sampler = ClassSampler::new(CLASSES, 0.3, 6).expect("a rate");
    let ids = sampler.sample(&LABELS, 2).expect("ids");
    let dense = restricted(&loss, &features, &classes, &ids);
    let run = || {
        let on_gpu = |batch: &Batch<'_>, want| GPU.evaluate(&loss, batch, want).expect("it runs");
        let add = |gradient| add_pair_rows(gradient, DIM, &ids, &LABELS).expect("it fits");
        sampled(on_gpu, (&features, &classes, &ids), add)
    };
    let first = run();
    assert_eq!(first, run());
    let wide = (
        first.0.map(f64::from),
        first.1.into_iter().map(f64::from).collect(),
    );
    agrees("on the device", &wide, &dense, 3e-5);
}

#[test]
fn gradients_that_do_not_fit_are_refused() {
    let refused = |numbers: usize, ids: &[u32], labels: &[u32]| {
        let gradient = vec![0.0_f32; numbers];
        let refused = add_pair_rows(gradient, 2, ids, labels);
        refused.expect_err("it does not fit").to_string()
    };
    assert_eq!(
        refused(7, &[1, 5], &[5, IGNORED]),
        "gradient: expected a compact gradient of 4 rows of 2 numbers, for 2 columns and 2 pairs, \
         got 7 numbers"
    );
    let unsorted = refused(8, &[5, 1], &[5, IGNORED]);
    assert_eq!(
        unsorted,
        "ids: expected ascending ids, each once, got 5 before 1"
    );
    let missing = refused(8, &[1, 5], &[5, 3]);
    let text = "ids: expected class 3 among them, the positive of pair 1, got ids without it";
    assert_eq!(missing, text);
}

#[test]
fn pair_rows_are_added_to_their_classes() {
    let compact = vec![1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0];
    let added = add_pair_rows(compact, 2, &[1, 5], &[5, IGNORED, 5]).expect("it fits");
    assert_eq!(added, [1.0, 2.0, 63.0, 84.0]);
}
