//! A step of ArcFace over a million classes: what it holds on the device, and that it is right.

use crate::{device::open, memory::allocated};
use std::f64::consts::PI;
use wgloss::{
    Batch, Matrix, Output, Positives, Want, cpu,
    gpu::{Buffers, Context, ContextOptions, Plan, PlanOptions, Slice, TableLayouts, upload},
    loss::ArcFace,
    wgpu::PollType,
};

const ROWS: usize = 256;
const CLASSES: usize = 1_000_000;
const DIM: usize = 128;

/// Rows whose feature gradient is compared.
const COMPARED_ROWS: [usize; 2] = [0, 255];

/// An f32 logit of up to 64 is off by a few units of 2⁻¹⁸, and so is, as a share, its exponential.
const TOLERANCE: f64 = 5e-5;

/// Features and class weights; every label is a class of its own.
struct Head {
    features: Vec<f32>,
    classes: Vec<f32>,
    labels: Vec<u32>,
    loss: ArcFace,
}

impl Head {
    fn new() -> Self {
        let mut state = 7_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        };
        let mut numbers = |rows: usize| (0..rows * DIM).map(|_| next()).collect::<Vec<f32>>();
        let (features, classes) = (numbers(ROWS), numbers(CLASSES));
        Head {
            features,
            classes,
            labels: (0..ROWS).map(|row| (row * 3907) as u32).collect(),
            loss: ArcFace::default(),
        }
    }

    fn batch(&self) -> Batch<'_> {
        let features = Matrix::new("features", &self.features, DIM).expect("a table");
        let classes = Matrix::new("classes", &self.classes, DIM).expect("a table");
        Batch::new(features, classes, Positives::One(&self.labels)).expect("a batch")
    }
}

pub fn a_step_holds_little_beyond_inputs_and_gradients() {
    // A device of its own: other tests allocate at the same time.
    let context = open(&ContextOptions::default());
    let head = Head::new();
    let batch = head.batch();
    let shape = batch.shape().expect("a shape");
    let before = allocated(context.device());
    let buffers = upload(&context, &batch, Want::BOTH).expect("it uploads");
    wait(&context);
    let (layouts, options) = (TableLayouts::dense(&shape), PlanOptions::default());
    let plan = Plan::new(&context, &head.loss, &shape, &layouts, &options).expect("it fits");
    let mut encoder = context.device().create_command_encoder(&Default::default());
    plan.encode(&mut encoder, &buffers).expect("it records");
    context.queue().submit([encoder.finish()]);
    let after = allocated(context.device());
    // Tables and their gradients, and a label per row.
    let own = (2 * (ROWS + CLASSES) * DIM * 4 + ROWS * 4) as u64;
    let most = own + own / 5;
    let told = own + plan.bytes();
    println!(
        "inputs and gradients {own} bytes, the plan {} more",
        plan.bytes()
    );
    assert!(told < most, "the plan tells {told} bytes, {most} allowed");
    if let (Some(before), Some(after)) = (before, after) {
        let held = after - before;
        println!(
            "the allocator counts {held} bytes, {:.3} times",
            held as f64 / own as f64
        );
        // At least the tables: the driver does count.
        assert!(
            (own..most).contains(&held),
            "{held} bytes are held, {most} allowed"
        );
    }
    right(&head, &plan, &buffers);
}

/// Submits what was written, and waits until its staging is free again.
fn wait(context: &Context) {
    context.queue().submit([]);
    (context.device().poll(PollType::wait_indefinitely())).expect("it answers");
}

/// Compares all row losses with the f64 reference, and some gradients with their formulas.
fn right(head: &Head, plan: &Plan, buffers: &Buffers) {
    let label = head.labels[9] as usize;
    let compared_classes = [0, 1, label, 500_000, CLASSES - 1];
    let row_of = |table: &Option<Slice>, row: &usize| {
        let table = table.as_ref().expect("it is wanted");
        Slice {
            offset: table.offset + (row * DIM * 4) as u64,
            size: (DIM * 4) as u64,
            ..table.clone()
        }
    };
    let rows = COMPARED_ROWS
        .iter()
        .map(|row| row_of(&buffers.grad_queries, row));
    let classes = compared_classes
        .iter()
        .map(|row| row_of(&buffers.grad_candidates, row));
    let wanted: Vec<Slice> = rows.chain(classes).collect();
    let (results, gradients) = plan.read(&wanted).expect("it reads");
    let reference = cpu::evaluate::<f64>(&head.loss, &head.batch(), Want::NOTHING);
    let direct = Direct::new(head, &reference.expect("the reference"));
    let losses: Vec<f64> = results.row_losses.iter().map(|x| f64::from(*x)).collect();
    close("row losses", &losses, &direct.losses());
    let rows = COMPARED_ROWS
        .iter()
        .map(|row| (format!("row {row}"), direct.row(*row)));
    let classes = compared_classes
        .iter()
        .map(|class| (format!("class {class}"), direct.class(*class)));
    for (words, (what, expected)) in gradients.into_iter().zip(rows.chain(classes)) {
        let actual: Vec<f64> = words
            .into_iter()
            .map(|word| f64::from(f32::from_bits(word)))
            .collect();
        close(&format!("gradient of {what}"), &actual, &expected);
    }
}

fn close(what: &str, actual: &[f64], expected: &[f64]) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let errors = actual.iter().zip(expected).map(|(a, e)| (a - e).abs());
    let worst = errors.fold(0.0_f64, f64::max);
    println!("{what}: off by {:.1e} of the largest", worst / largest);
    assert!(
        largest > 0.0 && worst <= TOLERANCE * largest,
        "{what}: {worst:e} of {largest:e}"
    );
}

/// ArcFace's gradients from their formulas, in f64, one row or class at a time.
struct Direct<'a> {
    head: &'a Head,
    features: Vec<[f64; DIM]>,
    lengths: Vec<f64>,
    /// `LSE_{j≠y} s·cos θ_j` of every row.
    sums: Vec<f64>,
    targets: Vec<Target>,
}

/// Of one row.
struct Target {
    /// `LSE_{j≠y} s·cos θ_j`, less the target's logit.
    gap: f64,
    /// The slope of the target's cosine by that before the margin.
    slope: f64,
}

/// A row at unit length, and its length.
fn unit(row: &[f32]) -> ([f64; DIM], f64) {
    let mut wide = [0.0; DIM];
    for (wide, number) in wide.iter_mut().zip(row) {
        *wide = f64::from(*number);
    }
    let length = dot(&wide, &wide).sqrt();
    (wide.map(|x| x / length), length)
}

fn dot(a: &[f64; DIM], b: &[f64; DIM]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// What is left of `sum` across `unit`, per length.
fn across(sum: &[f64; DIM], unit: &[f64; DIM], length: f64) -> Vec<f64> {
    let along = dot(sum, unit);
    let parts = sum.iter().zip(unit);
    parts
        .map(|(sum, unit)| (sum - along * unit) / length)
        .collect()
}

impl<'a> Direct<'a> {
    fn new(head: &'a Head, reference: &Output<f64>) -> Self {
        let rows = head.features.chunks(DIM).map(unit);
        let (features, lengths) = rows.unzip();
        let mut direct = Direct {
            head,
            features,
            lengths,
            sums: reference.statistics.iter().map(|pair| pair.sum).collect(),
            targets: Vec::new(),
        };
        direct.targets = (0..ROWS).map(|row| direct.target(row)).collect();
        direct
    }

    fn class_unit(&self, class: usize) -> ([f64; DIM], f64) {
        unit(&self.head.classes[class * DIM..][..DIM])
    }

    fn target(&self, row: usize) -> Target {
        let label = self.head.labels[row] as usize;
        let angle = dot(&self.features[row], &self.class_unit(label).0).acos();
        let moved = angle + self.head.loss.margin;
        assert!(moved < PI, "row {row} is beyond the margin's turn");
        Target {
            gap: self.sums[row] - self.head.loss.scale * moved.cos(),
            slope: moved.sin() / angle.sin(),
        }
    }

    fn losses(&self) -> Vec<f64> {
        let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
        let targets = self.targets.iter();
        targets.map(|target| softplus(target.gap)).collect()
    }

    /// ∂value/∂cos of one row and class.
    fn slope(&self, row: usize, class: usize, cos: f64) -> f64 {
        let scale = self.head.loss.scale;
        let target = &self.targets[row];
        let share = scale / ROWS as f64 / (1.0 + (-target.gap).exp());
        match self.head.labels[row] as usize == class {
            true => -share * target.slope,
            false => share * (scale * cos - self.sums[row]).exp(),
        }
    }

    fn row(&self, row: usize) -> Vec<f64> {
        let feature = &self.features[row];
        let mut sum = [0.0; DIM];
        for class in 0..CLASSES {
            let (unit, _) = self.class_unit(class);
            let slope = self.slope(row, class, dot(feature, &unit));
            for (sum, unit) in sum.iter_mut().zip(&unit) {
                *sum += slope * unit;
            }
        }
        across(&sum, feature, self.lengths[row])
    }

    fn class(&self, class: usize) -> Vec<f64> {
        let (unit, length) = self.class_unit(class);
        let mut sum = [0.0; DIM];
        for (row, feature) in self.features.iter().enumerate() {
            let slope = self.slope(row, class, dot(feature, &unit));
            for (sum, part) in sum.iter_mut().zip(feature) {
                *sum += slope * part;
            }
        }
        across(&sum, &unit, length)
    }
}
