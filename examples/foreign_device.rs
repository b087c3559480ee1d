//! On the caller's own device: inputs and outputs are ranges of one buffer, the work is recorded
//! into the caller's encoder, and nothing is submitted or waited for behind the caller's back.
//!
//! `cargo run --release --example foreign_device`

use std::sync::mpsc;
use wgloss::{
    Batch, Error, Matrix, Positives, Want, cpu,
    gpu::{Buffers, Context, ContextOptions, Plan, PlanOptions, Slice, TableLayouts},
    loss::Sl,
    wgpu::{self, BufferUsages, util::DownloadBuffer},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The caller's device, with subgroup operations where there are any.
    let Some(adapter) = wgloss::adapter::adapters().into_iter().next() else {
        return Err(Error::NoAdapter("install a Vulkan driver".into()).into());
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        required_features: adapter.features() & wgpu::Features::SUBGROUP,
        required_limits: adapter.limits(),
        ..Default::default()
    }))?;

    let (rows, columns, dim) = (100, 1000, 32);
    let wave = |length: usize, pitch: f32| -> Vec<f32> {
        (0..length).map(|i| (i as f32 * pitch).sin()).collect()
    };
    let (queries, candidates) = (wave(rows * dim, 0.7), wave(columns * dim, 1.3));
    let positives: Vec<u32> = (0..rows as u32).map(|row| row * 7).collect();
    let batch = Batch::new(
        Matrix::new("queries", &queries, dim)?,
        Matrix::new("candidates", &candidates, dim)?,
        Positives::One(&positives),
    )?;

    // One buffer for everything; ranges start at multiples of 256 bytes.
    let (q, c) = (queries.len(), candidates.len());
    let mut end = 0;
    let ranges = [q, c, rows, q, c, 1].map(|words| {
        let begin = end;
        end = (begin + words as u64 * 4).next_multiple_of(256);
        (begin, words as u64 * 4)
    });
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("embeddings and gradients"),
        size: end,
        usage: BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    queue.write_buffer(&buffer, ranges[0].0, bytemuck::cast_slice(&queries));
    queue.write_buffer(&buffer, ranges[1].0, bytemuck::cast_slice(&candidates));
    queue.write_buffer(&buffer, ranges[2].0, bytemuck::cast_slice(&positives));
    let slice = |at: usize| {
        let (offset, size) = ranges[at];
        let buffer = buffer.clone();
        Some(Slice {
            buffer,
            offset,
            size,
        })
    };
    let buffers = Buffers {
        queries: slice(0),
        candidates: slice(1),
        positives: slice(2),
        grad_queries: slice(3),
        grad_candidates: slice(4),
        value: slice(5),
        ..Buffers::default()
    };

    // Pipelines and scratch, once per (loss, shape); then as many steps as one likes.
    let (loss, shape) = (Sl::new(0.2), batch.shape()?);
    let context = Context::new(&device, &queue, &ContextOptions::default())?;
    let layouts = TableLayouts::dense(&shape);
    let plan = Plan::new(&context, &loss, &shape, &layouts, &PlanOptions::default())?;
    println!(
        "{} dispatches, {} bytes of scratch",
        plan.parts(),
        plan.bytes()
    );
    let mut encoder = device.create_command_encoder(&Default::default());
    plan.encode(&mut encoder, &buffers)?;
    queue.submit([encoder.finish()]);

    let (send, receive) = mpsc::channel();
    let bytes = ranges[5].0..ranges[5].0 + 4;
    DownloadBuffer::read_buffer(&device, &queue, &buffer.slice(bytes), move |read| {
        let _ = send.send(read.map(|bytes| bytemuck::pod_read_unaligned::<f32>(&bytes)));
    });
    device.poll(wgpu::PollType::wait_indefinitely())?;
    let value = f64::from(receive.recv()??);
    let reference = cpu::evaluate::<f64>(&loss, &batch, Want::NOTHING)?.value;
    println!("{value} on {}, {reference} in f64", adapter.get_info().name);
    assert!(
        (value - reference).abs() <= 1e-5 * reference.abs(),
        "they differ"
    );
    Ok(())
}
