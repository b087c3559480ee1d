//! Angular heads in a training loop: an encoder learns features of handwritten digits 0 to 6, and
//! is verified on 7, 8 and 9, which it never saw, as face recognition is on people it never saw.
//!
//! The encoder, a small network, runs on the host in plain Rust; the heads, with their losses and
//! gradients, run on the device. For each loss a line tells the loss of the last epoch, and the
//! verification accuracy on images that were not trained on, of 0 to 6 ("seen") and of 7 to 9
//! ("unseen"): of pairs of images, half of them of one digit, the share that a threshold on the
//! cosine tells right. "best" has the threshold that is best on nine tenths of the pairs, tried on
//! the tenth that is left (the mean over the ten), as LFW has it; "learned" has the threshold that
//! UCE, USS and UniTSFace learned while training, which saw none of the pairs.
//!
//! Do not expect the unseen digits to gain: seven identities teach an encoder to tell those seven
//! apart, and the first line, cosines of the pixels themselves, is as good on any others. Face
//! recognition carries over to new people because it learns from tens of thousands.
//!
//! `cargo run --release --example face_head -- --device auto|gpu|cpu|reference`
//!
//! The images are the UCI optical digits, under CC BY 4.0: `examples/digits/README.md`.

mod digits;
mod encoder;
mod heads;
mod learned;
mod random;
mod verification;

use digits::{Images, PIXELS, TRAINED};
use encoder::{Encoder, FEATURES};
use heads::{ClassHead, Features, Head, SampleHead, UniTsFaceHead};
use random::Random;
use verification::{Scores, Test};
use wgloss::{
    AnyLoss, Device, Engine, EngineOptions, Error, Result,
    heads::UniTsFace,
    loss::{ArcFace, CosFace, ExpFace, NormFace, SphereFace, Uce, Uss},
};

const BATCH: usize = 64;
const EPOCHS: usize = 20;
const RATE: f32 = 3e-3;
const SEED: u64 = 5;

/// Suits seven classes: a posterior of 0.999 takes (6/7)·ln(6·999) = 7.5 (CosFace's bound), and margins
/// leave less of the cosine. 64 is for ten thousands of them.
const SCALE: f64 = 12.0;

const CLASSES: usize = TRAINED as usize;

fn main() -> Result<()> {
    let engine = Engine::with_options(&EngineOptions::default().device(device()?))?;
    let (trained, seen) = Images::of(|digit| digit < TRAINED).every_fifth_apart();
    let unseen = Images::of(|digit| digit >= TRAINED);
    let tests = [Test::new(seen), Test::new(unseen)];
    println!("on {}", engine.describe());
    println!(
        "{} images of 0 to 6 to learn from; {} pairs of {} others of 0 to 6, and of {} of 7 to 9\n",
        trained.labels.len(),
        tests[0].pairs.len(),
        tests[0].images.labels.len(),
        tests[1].images.labels.len()
    );
    println!("{:31}seen digits       unseen digits", "");
    println!(
        "{:<12} {:>8} {:>8} {:>8} {:>8} {:>8} {:>10}",
        "loss", "value", "best", "learned", "best", "learned", "threshold"
    );
    let pixels = tests
        .each_ref()
        .map(|test| test.scores(&test.images.pixels, PIXELS));
    print("(pixels)", None, None, &pixels);
    for (name, mut head) in heads()? {
        let (value, encoder) = train(&engine, &mut *head, &trained)?;
        let scores = tests.each_ref().map(|test| {
            let features = encoder.forward(test.images.pixels.clone()).features;
            test.scores(&features, FEATURES)
        });
        print(name, Some(value), head.threshold(), &scores);
    }
    Ok(())
}

/// Prints a line of the table.
fn print(name: &str, value: Option<f32>, threshold: Option<f32>, scores: &[Scores]) {
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    let value = value.map_or(String::new(), |value| format!("{value:.4}"));
    print!("{name:<12} {value:>8}");
    for scores in scores {
        let best = percent(scores.best_threshold_accuracy());
        let learned = threshold.map(|threshold| percent(scores.accuracy(threshold)));
        print!(" {best:>8} {:>8}", learned.unwrap_or_default());
    }
    let threshold = threshold.map_or(String::new(), |cosine| format!("{cosine:.3}"));
    println!(" {threshold:>10}");
}

/// What follows `--device`, or else `auto`.
fn device() -> Result<Device> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => Ok(Device::Auto),
        (Some("--device"), Some(name)) => name.parse(),
        (other, _) => Err(Error::Unsupported(format!(
            "expected --device {}, got {}",
            Device::NAMES.join("|"),
            other.unwrap_or_default()
        ))),
    }
}

/// The losses with margins that suit seven classes, each in its head.
fn heads() -> Result<Vec<(&'static str, Box<dyn Head>)>> {
    let cos_face = CosFace {
        scale: SCALE,
        margin: 0.2,
        ..CosFace::default()
    };
    let uss = Uss {
        scale: SCALE,
        margin: 0.1,
        ..Uss::default()
    };
    let uni_ts_face = UniTsFace {
        cos_face: cos_face.clone(),
        uss: uss.clone(),
        ..UniTsFace::default()
    };
    let margins = [
        (
            "norm_face",
            AnyLoss::NormFace(NormFace {
                scale: SCALE,
                ..NormFace::default()
            }),
        ),
        ("cos_face", AnyLoss::CosFace(cos_face)),
        (
            "arc_face",
            AnyLoss::ArcFace(ArcFace {
                scale: SCALE,
                margin: 0.3,
                ..ArcFace::default()
            }),
        ),
        (
            "sphere_face",
            AnyLoss::SphereFace(SphereFace {
                scale: SCALE,
                margin: 1.5,
                ..SphereFace::default()
            }),
        ),
        (
            "exp_face",
            AnyLoss::ExpFace(ExpFace {
                scale: SCALE,
                ..ExpFace::default()
            }),
        ),
        (
            "uce",
            AnyLoss::Uce(Uce {
                scale: SCALE,
                margin: 0.1,
                ..Uce::default()
            }),
        ),
    ];
    let mut heads: Vec<(&str, Box<dyn Head>)> = Vec::new();
    for (name, loss) in margins {
        heads.push((name, Box::new(ClassHead::new(loss, CLASSES)?)));
    }
    heads.push(("uss", Box::new(SampleHead::new(uss, CLASSES)?)));
    let both = UniTsFaceHead::new(uni_ts_face, CLASSES)?;
    heads.push(("UniTSFace", Box::new(both)));
    Ok(heads)
}

/// Trains an encoder from the same start; the mean loss of the last epoch.
fn train(engine: &Engine, head: &mut dyn Head, images: &Images) -> Result<(f32, Encoder)> {
    let mut random = Random::new(SEED);
    let mut encoder = Encoder::new(&mut random);
    let all = encoder.forward(images.pixels.clone());
    head.prepare(Features {
        numbers: &all.features,
        labels: &images.labels,
    })?;
    let mut places: Vec<usize> = (0..images.labels.len()).collect();
    let mut mean = 0.0;
    for epoch in 0..EPOCHS {
        random.shuffle(&mut places);
        // Down to a tenth at the end.
        let rate = RATE * 0.1_f32.powf(epoch as f32 / EPOCHS as f32);
        // What is left over when batches are full waits for another epoch.
        let batches = places.chunks_exact(BATCH);
        let count = batches.len() as f32;
        mean = 0.0;
        for batch in batches {
            let batch = images.at(batch);
            let pass = encoder.forward(batch.pixels);
            let features = Features {
                numbers: &pass.features,
                labels: &batch.labels,
            };
            let (value, gradient) = head.step(engine, features, epoch, rate)?;
            encoder.backward(&pass, &gradient, rate);
            mean += value / count;
        }
    }
    Ok((mean, encoder))
}
