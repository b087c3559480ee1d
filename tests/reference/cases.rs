//! The table of cases, and the losses that each is tried with.

use crate::common::{Case, Choice, Places, Random};
use wgloss::{
    AnyLoss,
    loss::{
        Activation, AdvInfoNce, ArcFace, Bsl, BslForm, InfoNce, Psl, Score, Sl, TargetForm, UNSET,
        Uss, registry,
    },
};

const ACTIVATIONS: [Activation; 5] = [
    Activation::Tanh,
    Activation::Atan,
    Activation::Relu,
    Activation::Softplus,
    Activation::Exp,
];

/// Losses whose definitions, and batches where those are not among the cases, are in `tests/samples`.
const ELSEWHERE: [&str; 9] = [
    "sup_con",
    "nt_xent",
    "multi_similarity",
    "proxy_anchor",
    "s2s_naive",
    "s2s_bce",
    "uce",
    "sphere_face2",
    "circle",
];

/// Every loss with its defaults, and the forms that differ in more than a number.
pub fn losses() -> Vec<AnyLoss> {
    let mut losses = registry::all();
    losses.retain(|loss| !ELSEWHERE.contains(&loss.as_dyn().spec().name));
    losses.push(AnyLoss::Sl(Sl {
        positive_in_sum: true,
        ..Sl::default()
    }));
    losses.push(AnyLoss::Sl(Sl {
        score: Score::Dot,
        score_scale: 1.5,
        tau: 0.5,
        ..Sl::default()
    }));
    losses.push(AnyLoss::InfoNce(InfoNce {
        score_scale: 0.75,
        ..InfoNce::default()
    }));
    let forms = registry::variants().into_iter();
    losses.extend(forms.filter(|loss| {
        matches!(
            loss,
            AnyLoss::ArcFace(_)
                | AnyLoss::AdaFace(_)
                | AnyLoss::Bce(_)
                | AnyLoss::Bpr(_)
                | AnyLoss::Ccl(_)
                | AnyLoss::CombinedMargin(_)
                | AnyLoss::CosFace(_)
                | AnyLoss::ExpFace(_)
                | AnyLoss::LambdaLoss(_)
                | AnyLoss::LambdaLossAtK(_)
                | AnyLoss::Llpauc(_)
                | AnyLoss::MagFace(_)
                | AnyLoss::Mse(_)
                | AnyLoss::SogClr(_)
                | AnyLoss::SphereFace(_)
                | AnyLoss::SphereFaceR(_)
        )
    }));
    psl_forms(&mut losses);
    bsl_forms(&mut losses);
    losses.push(AnyLoss::AdvInfoNce(AdvInfoNce {
        tau: 0.3,
        neg_weight: 2.0,
        ..AdvInfoNce::default()
    }));
    losses.push(AnyLoss::Uss(Uss {
        scale: 4.0,
        ..Uss::default()
    }));
    losses.push(AnyLoss::ArcFace(ArcFace {
        scale: 8.0,
        margin: 0.3,
        ..ArcFace::default()
    }));
    losses
}

fn psl_forms(losses: &mut Vec<AnyLoss>) {
    for activation in ACTIVATIONS {
        let psl = Psl::new(activation, 0.2);
        losses.push(AnyLoss::Psl(Psl {
            positive_in_sum: true,
            ..psl.clone()
        }));
        losses.push(AnyLoss::Psl(Psl {
            method: 2,
            ..psl.clone()
        }));
        losses.push(AnyLoss::Psl(psl));
    }
    losses.push(AnyLoss::Psl(Psl {
        score_scale: 2.0,
        ..Psl::new(Activation::Relu, 0.3)
    }));
}

fn bsl_forms(losses: &mut Vec<AnyLoss>) {
    for form in [
        BslForm::IrBenchmark {
            tau1: 0.2,
            tau2: 0.3,
        },
        BslForm::Reweight {
            tau: 0.2,
            exponent: 1.2,
        },
        BslForm::Single {
            tau: 0.2,
            exponent: 3.0,
        },
        BslForm::Multi {
            tau: 0.2,
            exponent: 1.1,
        },
        BslForm::Published {
            tau1: 0.25,
            tau2: 0.15,
        },
    ] {
        losses.push(AnyLoss::Bsl(Bsl::new(form)));
    }
}

/// `case` with what `loss` needs beside it, or `None` where they do not go together.
pub fn prepared(loss: &AnyLoss, case: &Case) -> Option<Case> {
    let mut case = case.clone();
    let mut random = Random(77);
    match loss {
        AnyLoss::AdvInfoNce(_) => {
            let rows = case.queries.len() / case.dim;
            let candidates = random.numbers(case.n_candidates() * 3);
            case.second = Some((3, random.numbers(rows * 3), candidates));
        }
        AnyLoss::Uss(_) => case.theta = vec![0.4],
        AnyLoss::ScaledInfoNce(_) => case.theta = vec![1.25],
        AnyLoss::Llpauc(_) => case.theta = vec![0.75, 0.25, 0.375, 0.625, 0.125, 0.4375, 0.5625],
        AnyLoss::AdaFace(_) => case.theta = vec![1.5, 0.75],
        AnyLoss::CurricularFace(_) => case.theta = vec![0.25],
        AnyLoss::ExpFace(_) => case.theta = vec![0.5; loss.as_dyn().spec().thetas],
        _ => {}
    }
    let (loss, spec) = (loss.as_dyn(), loss.as_dyn().spec());
    // The arc cosine of a score of ±1 has no slope.
    let margin_on_columns = spec.name == "sphere_face_r";
    if case.dim == 1 && (spec.target == TargetForm::Tangent || margin_on_columns) {
        return None;
    }
    case.row_parameters = random.numbers(case.n_rows() * spec.row_parameters);
    if spec.row_state {
        // Queries that were never seen.
        let first = case
            .row_parameters
            .iter_mut()
            .step_by(3 * spec.row_parameters);
        first.for_each(|log_average| *log_average = UNSET);
    }
    let shape = case.batch().and_then(|batch| batch.shape());
    let shape = shape.expect("a well-formed case");
    let takes = loss.check(&shape).is_ok() && spec.check(&shape).is_ok();
    takes.then_some(case)
}

/// Lists of up to `most` ids, some of them empty.
fn some_lists(random: &mut Random, count: usize, bound: usize, most: usize) -> Places {
    let mut places = (vec![0], Vec::new());
    for _ in 0..count {
        let length = random.id(most + 1) as usize;
        places.1.extend(random.ids(length, bound));
        places.0.push(places.1.len() as u32);
    }
    places
}

/// Named cases.
pub fn cases() -> Vec<(&'static str, Case)> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut cases = vec![
        ("one", Case::new(&mut random, 1, 1, 1)),
        ("two", Case::new(&mut random, 2, 2, 1)),
        ("primes", Case::new(&mut random, 37, 101, 17)),
        ("wide", Case::new(&mut random, 3, 5, 131)),
    ];
    let mut add = |name, change: fn(&mut Case, &mut Random)| {
        let mut case = Case::new(&mut random, 13, 29, 7);
        change(&mut case, &mut random);
        cases.push((name, case));
    };
    add("repeated positives", |case, random| {
        case.positives.1 = random.ids(13, 3);
    });
    add("repeated queries", |case, random| {
        case.queries = random.numbers(5 * 7);
        case.rows = Some(random.ids(13, 5));
    });
    add("several positives", |case, random| {
        let (offsets, ids) = some_lists(random, 13, 29, 4);
        case.positives = (Some(offsets), ids);
    });
    add(
        "several positives of repeated queries, upstream",
        |case, random| {
            case.queries = random.numbers(5 * 7);
            case.rows = Some(random.ids(13, 5));
            let (offsets, ids) = some_lists(random, 13, 29, 4);
            case.upstream = Some(random.singles(ids.len()));
            case.positives = (Some(offsets), ids);
        },
    );
    add("181 positives", |case, random| {
        *case = Case::new(random, 2, 223, 5);
        let ids = (0..183).map(|i| i * 7 % 223).collect();
        case.positives = (Some(vec![0, 181, 183]), ids);
    });
    add("exclude by row", |case, random| {
        case.exclude = Some(some_lists(random, 13, 29, 40));
    });
    add("exclude by query", |case, random| {
        case.queries = random.numbers(5 * 7);
        case.rows = Some(random.ids(13, 5));
        case.exclude = Some(some_lists(random, 5, 29, 12));
        case.exclude_by_query = true;
    });
    add("log_q and weights", |case, random| {
        case.log_q = Some(random.singles(29));
        case.weights = Some(random.singles(13));
    });
    add("ignored, sum", |case, _| {
        case.sum = true;
        [0, 5, 12].into_iter().for_each(|pair| case.ignore(pair));
    });
    add("ignored, mean", |case, random| {
        let (offsets, ids) = some_lists(random, 13, 29, 4);
        case.positives = (Some(offsets), ids);
        [0, 1, 2, 9].into_iter().for_each(|pair| case.ignore(pair));
    });
    add("all ignored", |case, _| {
        (0..13).for_each(|pair| case.ignore(pair));
    });
    add("shared with repeats", |case, random| {
        case.columns = Choice::Shared(random.ids(40, 29));
        case.exclude = Some(some_lists(random, 13, 29, 6));
        case.log_q = Some(random.singles(29));
    });
    add("sampled with repeats and positives", |case, random| {
        let mut ids = random.ids(13 * 11, 29);
        for row in 0..13 {
            ids[row * 11 + 4] = case.positives.1[row];
        }
        case.columns = Choice::Sampled(ids, 11);
        case.log_q = Some(random.singles(29));
    });
    add("sampled, excluded", |case, random| {
        let (offsets, ids) = some_lists(random, 13, 29, 3);
        let mut excluded = some_lists(random, 13, 29, 20);
        excluded.1[0] = ids[0];
        case.positives = (Some(offsets), ids);
        case.columns = Choice::Sampled(random.ids(13 * 11, 29), 11);
        case.exclude = Some(excluded);
    });
    add("some rows all masked", |case, _| {
        let all = 0..29;
        case.exclude = Some((
            (0..=13)
                .map(|row| 29 * u32::from(row > 4) + 29 * u32::from(row > 9))
                .collect(),
            all.clone().chain(all).collect(),
        ));
    });
    add("everything masked", |case, _| {
        let lists = (0..13).flat_map(|_| 0..29).collect();
        case.exclude = Some(((0..=13).map(|row| row * 29).collect(), lists));
    });
    add("zero vectors", |case, _| {
        case.queries[7..14].fill(0.0);
        case.candidates[..7].fill(0.0);
        case.positives.1[3] = 0;
    });
    cases
}
