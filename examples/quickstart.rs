//! Slices in, value and gradients out, on a GPU if there is one.
//!
//! `cargo run --release --example quickstart`

use wgloss::{Batch, Engine, Matrix, Positives, loss::Sl};

fn main() -> wgloss::Result<()> {
    let (users, items, dim) = (4, 6, 8);
    // Any numbers will do: these stand for embeddings that a model would learn.
    let wave = |length: usize, pitch: f32| -> Vec<f32> {
        (0..length).map(|i| (i as f32 * pitch).sin()).collect()
    };
    let (queries, candidates) = (wave(users * dim, 0.7), wave(items * dim, 1.3));
    // The item that each user bought; the user is compared with all others.
    let positives = [2, 0, 5, 2];

    let batch = Batch::new(
        Matrix::new("queries", &queries, dim)?,
        Matrix::new("candidates", &candidates, dim)?,
        Positives::One(&positives),
    )?;
    let engine = Engine::new()?;
    println!("on {}", engine.describe());
    let output = engine.value_and_grad(&Sl::new(0.2), &batch)?;

    println!("value {:.6}", output.value);
    println!("row losses {:.4?}", output.row_losses);
    for (name, gradient) in [
        ("queries", &output.grad_queries),
        ("candidates", &output.grad_candidates),
    ] {
        let numbers = gradient.as_deref().unwrap_or(&[]);
        let length = numbers.iter().map(|x| x * x).sum::<f32>().sqrt();
        println!(
            "gradient of the {name}: {} numbers, length {length:.4}",
            numbers.len()
        );
    }
    Ok(())
}
