//! UniTSFace is CosFace and USS together, and its gradients are those of its value.

use crate::{GPU, engine, numbers};
use wgloss::{
    Batch, Device, Engine, IGNORED, Matrix, Positives, Want, cpu,
    heads::{Combination, SampleMemory, UniTsFace, UniTsFaceInputs, UniTsFaceOutput},
    loss::{CosFace, Uss},
};

const DIM: usize = 5;
const CLASSES: usize = 7;
const LABELS: [u32; 5] = [2, 6, IGNORED, 0, 2];
const BIAS: f64 = 1.75;

fn matrix(numbers: &[f32]) -> Matrix<'_> {
    Matrix::new("table", numbers, DIM).expect("a table")
}

/// Identities 1 and 4 have no sample.
fn memory() -> SampleMemory {
    let mut memory = SampleMemory::new(CLASSES, DIM).expect("a memory");
    let samples = numbers(5 * DIM, 21);
    let written = memory.write(&[6, 3, 0, 5, 2], matrix(&samples));
    written.expect("it fits");
    memory
}

fn loss(combination: Combination) -> UniTsFace {
    UniTsFace {
        cos_face: CosFace {
            scale: 6.0,
            margin: 0.4,
            ..CosFace::default()
        },
        uss: Uss {
            scale: 5.0,
            ..Uss::default()
        },
        combination,
    }
}

struct Tables {
    features: Vec<f32>,
    classes: Vec<f32>,
    memory: SampleMemory,
}

impl Tables {
    fn new() -> Tables {
        Tables {
            features: numbers(LABELS.len() * DIM, 13),
            classes: numbers(CLASSES * DIM, 17),
            memory: memory(),
        }
    }

    fn inputs(&self, bias: f64) -> UniTsFaceInputs<'_> {
        UniTsFaceInputs {
            features: matrix(&self.features),
            classes: matrix(&self.classes),
            labels: &LABELS,
            memory: &self.memory,
            bias,
        }
    }

    fn run(&self, loss: &UniTsFace, on: &Engine, bias: f64) -> UniTsFaceOutput<f64> {
        loss.evaluate_f64(on, self.inputs(bias))
            .expect("it evaluates")
    }
}

fn same(what: &str, actual: &[f64], expected: &[f64], error: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (actual, expected) in actual.iter().zip(expected) {
        let difference = (actual - expected).abs();
        assert!(difference < error, "{what}: {actual}, not {expected}");
    }
}

#[test]
fn it_is_the_sum_or_average_of_its_parts() {
    let tables = Tables::new();
    let features = || matrix(&tables.features);
    for (combination, share) in [(Combination::Sum, 1.0), (Combination::Average, 0.5)] {
        let loss = loss(combination);
        let together = tables.run(&loss, &engine(Device::Reference), BIAS);
        let to_classes = Batch::new(features(), matrix(&tables.classes), Positives::One(&LABELS));
        let to_classes = to_classes.expect("a batch");
        let cos_face = cpu::evaluate::<f64>(&loss.cos_face, &to_classes, Want::BOTH);
        let theta = [BIAS];
        let to_samples = tables.memory.batch(features(), &LABELS).expect("samples");
        let to_samples = to_samples.theta(&theta).expect("a threshold");
        let uss = cpu::evaluate::<f64>(&loss.uss, &to_samples, Want::BOTH);
        let (cos_face, uss) = (cos_face.expect("runs"), uss.expect("runs"));
        let value = share * (cos_face.value + uss.value);
        same("value", &[together.value], &[value], 1e-14);
        let parts = [together.cos_face.value, together.uss.value];
        same(
            "parts",
            &parts,
            &[share * cos_face.value, share * uss.value],
            1e-14,
        );
        assert_eq!(together.uss.row_losses, uss.row_losses);
        let bias = share * uss.grad_theta[0];
        same("bias", &[together.grad_bias], &[bias], 1e-14);
        let gradients = (cos_face.grad_queries).into_iter().flatten();
        let gradients = gradients.zip(uss.grad_queries.into_iter().flatten());
        let features: Vec<f64> = gradients.map(|(a, b)| share * (a + b)).collect();
        same("features", &together.grad_features, &features, 1e-14);
        let classes = cos_face.grad_candidates.into_iter().flatten();
        let classes: Vec<f64> = classes.map(|x| share * x).collect();
        same("classes", &together.grad_classes, &classes, 1e-14);
    }
}

#[test]
fn gradients_are_derivatives() {
    let mut tables = Tables::new();
    let (on, loss) = (engine(Device::Reference), loss(Combination::Average));
    let output = tables.run(&loss, &on, BIAS);
    let step = 1.0 / 1024.0;
    let slope = |up: UniTsFaceOutput<f64>, down: UniTsFaceOutput<f64>, step: f64| {
        (up.value - down.value) / (2.0 * step)
    };
    let up = tables.run(&loss, &on, BIAS + step);
    let down = tables.run(&loss, &on, BIAS - step);
    same("bias", &[output.grad_bias], &[slope(up, down, step)], 1e-5);
    for at in 0..tables.features.len() {
        let kept = tables.features[at];
        let mut moved = |to: f32| {
            tables.features[at] = to;
            tables.run(&loss, &on, BIAS)
        };
        let (above, below) = (kept + step as f32, kept - step as f32);
        let step = f64::from(above - below) / 2.0;
        let expected = slope(moved(above), moved(below), step);
        tables.features[at] = kept;
        same("features", &[output.grad_features[at]], &[expected], 1e-4);
    }
}

#[test]
fn the_device_agrees() {
    let (tables, loss) = (Tables::new(), loss(Combination::Sum));
    let expected = tables.run(&loss, &engine(Device::Reference), BIAS);
    let actual = tables.run(&loss, &GPU, BIAS);
    same("value", &[actual.value], &[expected.value], 3e-6);
    same(
        "features",
        &actual.grad_features,
        &expected.grad_features,
        3e-6,
    );
    same(
        "classes",
        &actual.grad_classes,
        &expected.grad_classes,
        3e-6,
    );
    same("bias", &[actual.grad_bias], &[expected.grad_bias], 3e-6);
    let repeated = loss.evaluate(&GPU, tables.inputs(BIAS)).expect("it runs");
    let again = loss.evaluate(&GPU, tables.inputs(BIAS)).expect("it runs");
    assert_eq!(repeated, again);
}

/// The mean over rows of log-sum-exps over the samples of others, written out.
#[test]
fn the_first_threshold_is_the_official_one() {
    let (tables, reference) = (Tables::new(), engine(Device::Reference));
    let features = matrix(&tables.features);
    let batch = tables.memory.batch(features, &LABELS).expect("samples");
    let bias = loss(Combination::Sum).uss.initial_bias(&reference, &batch);
    let table = tables.memory.matrix().expect("samples");
    let row = |table: &Matrix<'_>, at: usize| {
        let mut row = [0.0; DIM];
        table.read_row(at, &mut row);
        row
    };
    let dot = |a: &[f64; DIM], b: &[f64; DIM]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut sums = Vec::new();
    for (at, label) in LABELS
        .iter()
        .enumerate()
        .filter(|(_, label)| **label != IGNORED)
    {
        let feature = row(&features, at);
        let others = tables.memory.written().iter().filter(|id| *id != label);
        let terms = others.map(|id| {
            let sample = row(&table, *id as usize);
            let lengths = (dot(&feature, &feature) * dot(&sample, &sample)).sqrt();
            (5.0 * dot(&feature, &sample) / lengths).exp()
        });
        sums.push(terms.sum::<f64>().ln());
    }
    let expected = sums.iter().sum::<f64>() / 4.0;
    same("bias", &[bias.expect("it evaluates")], &[expected], 1e-12);
}

#[test]
fn what_is_missing_is_named() {
    let mut tables = Tables::new();
    tables.memory = SampleMemory::new(CLASSES, DIM).expect("a memory");
    let loss = loss(Combination::Sum);
    let on = engine(Device::Cpu);
    let error = loss.evaluate(&on, tables.inputs(BIAS)).expect_err("empty");
    assert!(error.to_string().starts_with("sample memory: "), "{error}");
}

#[test]
fn the_released_form_reads_from_json() {
    let text = r#"{"uss": {"clamp": true}, "combination": "sum"}"#;
    let read: UniTsFace = serde_json::from_str(text).expect("it reads");
    assert_eq!(read, UniTsFace::released());
    assert_eq!((read.cos_face.margin, read.uss.margin), (0.4, 0.1));
}
