//! Where formulas break: sharp temperatures, angles 0 and π, zero vectors, nothing to compare with.

use crate::{
    case::{Case, OwnedLists, Table},
    device::{agree, context, run},
};
use wgloss::{
    DynLoss, IGNORED,
    loss::{Activation, ArcFace, InfoNce, Psl, Sl},
};

pub fn sharp_temperatures() {
    let psl = |activation| Psl::new(activation, 0.01);
    let in_sum = InfoNce {
        tau: 0.01,
        ..InfoNce::default()
    };
    agree(
        &[
            &Sl::new(0.01),
            &in_sum,
            &psl(Activation::Tanh),
            &psl(Activation::Relu),
            &psl(Activation::Softplus),
            &ArcFace::default(),
        ],
        &[("37 × 101 × 17", Case::new([37, 101, 17]))],
    );
}

/// Queries that equal their positives, the opposite of other candidates, and each other.
fn parallel() -> Case {
    let mut case = Case::new([9, 20, 6]);
    let dim = 6;
    for (row, positive) in case.positives.iter_mut().enumerate() {
        *positive = row as u32;
        let query = case.queries.numbers[row * dim..][..dim].to_vec();
        case.candidates.numbers[row * dim..][..dim].copy_from_slice(&query);
        let opposite: Vec<f32> = query.iter().map(|x| -4.0 * x).collect();
        case.candidates.numbers[(row + 10) * dim..][..dim].copy_from_slice(&opposite);
    }
    case
}

pub fn parallel_and_opposite_vectors() {
    // Positives at cosine 1, negatives at −1.
    let same = parallel();
    // Positives at cosine −1, negatives at 1.
    let mut opposite = same.clone();
    for positive in &mut opposite.positives {
        *positive += 10;
    }
    let arc = ArcFace {
        scale: 16.0,
        ..ArcFace::default()
    };
    agree(
        &[&Sl::new(0.05), &Psl::new(Activation::Tanh, 0.1), &arc],
        &[("parallel", same), ("opposite", opposite)],
    );
}

pub fn zero_vectors() {
    let mut case = Case::new([5, 30, 7]);
    case.queries.numbers[..7].fill(0.0);
    case.candidates.numbers[14..28].fill(0.0);
    case.positives[1] = 2;
    case.positives[0] = 3;
    let all = Case {
        queries: Table::new(vec![0.0; 35], 7),
        ..case.clone()
    };
    let (sl, psl) = (Sl::new(0.2), Psl::new(Activation::Relu, 0.1));
    let output = run(context(), &sl, &case.batch());
    let counts = (output.counts.zero_queries, output.counts.zero_candidates);
    assert_eq!(counts, (1, 2));
    agree(&[&sl, &psl], &[("some", case), ("all queries", all)]);
}

pub fn everything_masked() {
    let mut case = Case::new([6, 20, 5]);
    let lists = OwnedLists {
        offsets: (0..=6).map(|row| row * 20).collect(),
        ids: (0..6).flat_map(|_| 0..20).collect(),
    };
    case.exclude = Some((lists, false));
    for loss in [&Sl::new(0.2) as &dyn DynLoss, &InfoNce::default()] {
        let output = run(context(), loss, &case.batch());
        assert_eq!(output.value, 0.0, "{loss:?}");
        assert_eq!(output.counts.dead_pairs, 6, "{loss:?}");
        let gradients = [output.grad_queries, output.grad_candidates];
        for x in gradients.into_iter().flatten().flatten() {
            assert_eq!(x, 0.0, "{loss:?}");
        }
    }
    agree(
        &[&Sl::new(0.2), &Psl::new(Activation::Relu, 0.1)],
        &[
            ("all masked", case),
            ("one candidate", Case::new([4, 1, 3])),
        ],
    );
}

pub fn everything_ignored() {
    let mut case = Case::new([6, 20, 5]);
    case.positives.fill(IGNORED);
    let output = run(context(), &Sl::new(0.2), &case.batch());
    assert_eq!(output.value, 0.0);
    assert_eq!(output.counts.ignored_pairs, 6);
    agree(&[&Sl::new(0.2)], &[("all ignored", case)]);
}

/// PSL-relu where no column is alive: the positive is far above every other score.
pub fn dead_columns() {
    let mut case = parallel();
    for numbers in case.candidates.numbers.chunks_exact_mut(6).skip(9) {
        let row: Vec<f32> = case.queries.numbers[..6].iter().map(|x| -x).collect();
        numbers.copy_from_slice(&row);
    }
    case.queries.numbers.truncate(6);
    case.positives.truncate(1);
    let psl = Psl {
        score_scale: 1.0,
        ..Psl::new(Activation::Relu, 0.1)
    };
    for row in 1..9 {
        let own: Vec<f32> = case.queries.numbers.iter().map(|x| -x).collect();
        case.candidates.numbers[row * 6..][..6].copy_from_slice(&own);
    }
    let output = run(context(), &psl, &case.batch());
    assert_eq!((output.value, output.counts.dead_pairs), (0.0, 1));
    agree(&[&psl], &[("all dead", case)]);
}
