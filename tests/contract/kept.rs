//! Scores that are kept between the reduction and the weights, on both families of kernels.

use super::device::{Run, full};
use wgloss::{
    ColumnKind, DynLoss, Shape, Want,
    check::{Problem, judge},
    gpu::{Context, ContextOptions, Family, PlanOptions, Scores, TableLayouts, Tile, estimate},
    loss::{Activation, ArcFace, Bce, Psl, Sl, Uss},
};

/// The block family, whose other texts are those of small workgroups.
fn block() -> Context {
    full().with_options(&ContextOptions {
        family: Some(Family::Block {
            tile: Tile::Square64,
            lanes: 8,
            subgroups: full().family().subgroups(),
        }),
        ..ContextOptions::default()
    })
}

fn options(scores: Scores) -> PlanOptions {
    PlanOptions {
        scores,
        want: Want::BOTH,
        ..PlanOptions::default()
    }
}

/// Log-sums and sums, slopes by the target, learnt scalars, column parameters, several positives.
#[test]
fn kept_scores_give_what_scores_computed_twice_give() {
    let losses: [&dyn DynLoss; 6] = [
        &Sl::new(0.2),
        &Psl::new(Activation::Tanh, 0.2),
        &Psl::new(Activation::Relu, 0.2),
        &ArcFace::default(),
        &Bce::default(),
        &Uss::default(),
    ];
    let mut tried = 0;
    for context in [full(), &block()] {
        for loss in losses {
            for problem in Problem::all() {
                let wanted = ["ragged", "many-excluded", "log-q"].contains(&problem.name());
                if !wanted || !problem.suits(&loss.spec()) {
                    continue;
                }
                let problem = problem.fitted(loss);
                let batch = problem.batch(&loss.spec()).expect("it is a batch");
                // Sums take no log q.
                let shape = batch.shape().expect("a shape");
                if loss.check(&shape).and(loss.spec().check(&shape)).is_err() {
                    continue;
                }
                let [kept, twice] = [Scores::Kept, Scores::Twice]
                    .map(|scores| Run::new(context, loss, &batch, &options(scores)));
                let what = format!("{loss:?}, {}, {}", problem.name(), kept.plan.id());
                assert_eq!(kept.plan.scheme(), "kept scores", "{what}");
                assert_eq!(twice.plan.scheme(), "chunked weights", "{what}");
                assert!(kept.plan.id().contains("-kept-"), "{what}");
                assert_eq!(4 * kept.plan.flops(), 3 * twice.plan.flops(), "{what}");
                let kept = kept.from(f32::NAN).expect("it evaluates");
                let twice = twice.from(f32::NAN).expect("it evaluates");
                assert_eq!(kept.value, twice.value, "{what}");
                let verdicts = judge(loss, &batch, &kept.map(f64::from)).expect("it is judged");
                let failed: Vec<_> = verdicts
                    .iter()
                    .filter(|verdict| !verdict.passed())
                    .collect();
                assert!(failed.is_empty(), "{what}: {failed:?}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 12, "{tried} cases");
}

/// The plan keeps what fits, and says what does not when it is told to.
#[test]
fn plans_choose_what_they_keep() {
    let of = |shape: &Shape, scores, scratch_bytes| {
        let options = PlanOptions {
            scratch_bytes: Some(scratch_bytes),
            ..options(scores)
        };
        let (family, limits) = (full().family(), full().limits());
        let layouts = TableLayouts::dense(shape);
        let plan = estimate(&Sl::new(0.2), shape, &layouts, &options, family, limits);
        plan.map(|plan| plan.sizes.kept())
    };
    let wide = Shape::new(64, 1000, 64);
    let room = 64 << 20;
    assert!(of(&wide, Scores::Auto, room).expect("it fits"));
    assert!(!of(&wide, Scores::Twice, room).expect("it fits"));
    assert!(!of(&wide, Scores::Auto, 256 << 10).expect("it fits"));
    let narrow = Shape::new(64, 1000, 16);
    assert!(!of(&narrow, Scores::Auto, room).expect("it fits"));
    assert!(of(&narrow, Scores::Kept, room).expect("it fits"));
    let sampled = Shape {
        columns: ColumnKind::Sampled(10),
        ..wide.clone()
    };
    for (shape, scratch) in [(&sampled, room), (&wide, 256 << 10)] {
        let error = of(shape, Scores::Kept, scratch).expect_err("it cannot");
        let message = error.to_string();
        assert!(message.contains("scores Kept with"), "{message}");
        assert!(
            message.contains("expected scores Auto or Twice"),
            "{message}"
        );
    }
}
