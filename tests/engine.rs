//! An engine's futures give what its blocking calls give, on every device.

use wgloss::{
    Batch, Device, Engine, EngineOptions, Error, Matrix, Output, Positives, Result, Want,
    loss::{Score, Sl},
};

fn engines() -> [Engine; 3] {
    [Device::Gpu, Device::Cpu, Device::Reference].map(|device| {
        let options = EngineOptions::default().device(device);
        Engine::with_options(&options).unwrap_or_else(|error| panic!("{device}: {error}"))
    })
}

fn numbers(count: usize, scale: f32) -> Vec<f32> {
    let number = |i: usize| ((i * 7919 % 1009) as f32 / 1009.0 - 0.5) * scale;
    (0..count).map(number).collect()
}

fn batch<'a>(queries: &'a [f32], candidates: &'a [f32], positives: &'a [u32]) -> Batch<'a> {
    let table = |name, numbers| Matrix::new(name, numbers, 4).expect("a table");
    let (queries, candidates) = (table("queries", queries), table("candidates", candidates));
    Batch::new(queries, candidates, Positives::One(positives)).expect("a batch")
}

fn same(awaited: Result<Output<f32>>, waited: Result<Output<f32>>) {
    assert_eq!(awaited.expect("an output"), waited.expect("an output"));
}

#[test]
fn futures_give_what_calls_give() {
    let (queries, candidates) = (numbers(12, 1.0), numbers(28, 1.0));
    let (positives, upstream) = ([0, 5, 2], [0.5, -1.0, 2.0]);
    let (loss, batch) = (Sl::new(0.2), batch(&queries, &candidates, &positives));
    for engine in engines() {
        let value = engine.forward_async(&loss, &batch);
        let both = engine.value_and_grad_async(&loss, &batch);
        let backward = engine.backward_async(&loss, &batch, &upstream);
        let want = Want {
            queries: true,
            candidates: false,
            ..Want::NOTHING
        };
        let one = engine.evaluate_async(&loss, &batch, want);
        // In another order than they were begun.
        same(
            pollster::block_on(backward),
            engine.backward(&loss, &batch, &upstream),
        );
        same(pollster::block_on(value), engine.forward(&loss, &batch));
        same(
            pollster::block_on(both),
            engine.value_and_grad(&loss, &batch),
        );
        same(
            pollster::block_on(one),
            engine.evaluate(&loss, &batch, want),
        );
    }
}

/// What overflows in f32 is an error on every device that computes or answers in it.
#[test]
fn futures_give_errors_too() {
    let (queries, candidates) = (numbers(12, 3e38), numbers(28, 3e38));
    let batch = batch(&queries, &candidates, &[0, 5, 2]);
    let dot = Sl {
        score: Score::Dot,
        ..Sl::new(0.2)
    };
    for engine in engines() {
        let output = pollster::block_on(engine.value_and_grad_async(&dot, &batch));
        assert!(
            matches!(output, Err(Error::NotFinite { .. })),
            "{}: {output:?}",
            engine.describe()
        );
        let short = engine.backward_async(&dot, &batch, &[1.0]);
        let refused = pollster::block_on(short);
        assert!(
            matches!(
                refused,
                Err(Error::Shape {
                    argument: "upstream",
                    ..
                })
            ),
            "{refused:?}"
        );
    }
}
