//! Every form of columns on the GPU against the f64 reference.

use crate::{
    agreement::{agree_on_two, two},
    case::{Case, OwnedLists, Random},
    device::{context, objections, run},
};
use wgloss::DynLoss;

pub fn shared_columns() {
    let mut random = Random(3);
    let case = Case {
        shared: Some(random.ids(333, 50)),
        ..Case::new([40, 50, 9])
    };
    let one = Case {
        shared: Some(vec![7]),
        ..Case::new([9, 50, 9])
    };
    let excluded = Case {
        exclude: Some((OwnedLists::random(&mut random, &[5; 40], 50), false)),
        ..case.clone()
    };
    agree_on_two(&[
        ("repeated columns", case),
        ("one column", one),
        ("excluded columns", excluded),
    ]);
}

pub fn sampled_columns() {
    let mut random = Random(4);
    let case = Case {
        sampled: Some((random.ids(40 * 65, 30), 65)),
        ..Case::new([40, 30, 9])
    };
    let one = Case {
        sampled: Some((random.ids(13, 30), 1)),
        ..Case::new([13, 30, 20])
    };
    let excluded = Case {
        exclude: Some((OwnedLists::random(&mut random, &[4; 6], 30), true)),
        rows: Some(random.ids(40, 6)),
        queries: Case::new([6, 30, 9]).queries,
        ..case.clone()
    };
    agree_on_two(&[
        ("repeated slots", case),
        ("one slot", one),
        ("excluded slots", excluded),
    ]);
}

pub fn excluded_columns() {
    let mut random = Random(5);
    let lengths = [0, 1, 90, 3, 30, 0, 7];
    let by_row = Case {
        exclude: Some((OwnedLists::random(&mut random, &lengths, 99), false)),
        ..Case::new([7, 99, 14])
    };
    let by_query = Case {
        rows: Some(random.ids(50, 7)),
        positives: random.ids(50, 99),
        exclude: Some((OwnedLists::random(&mut random, &lengths, 99), true)),
        ..Case::new([7, 99, 14])
    };
    let no_ids = Case {
        exclude: Some((OwnedLists::random(&mut random, &[0; 7], 99), false)),
        ..Case::new([7, 99, 14])
    };
    agree_on_two(&[
        ("by row", by_row),
        ("by query", by_query),
        ("empty lists", no_ids),
    ]);
}

/// The order of the columns is nobody's business.
pub fn permuted_columns() {
    let case = Case::new([23, 67, 11]);
    let (count, dim) = (67, 11);
    // Column j comes from column 5j + 3.
    let from = |column: usize| (5 * column + 3) % count;
    let mut permuted = case.clone();
    for column in 0..count {
        let row = &case.candidates.numbers[from(column) * dim..][..dim];
        permuted.candidates.numbers[column * dim..][..dim].copy_from_slice(row);
    }
    for id in &mut permuted.positives {
        let place = (0..count).find(|column| from(*column) == *id as usize);
        *id = place.expect("it is a permutation") as u32;
    }
    let (sl, psl) = two();
    for loss in [&sl as &dyn DynLoss, &psl] {
        let mut output = run(context(), loss, &permuted.batch());
        let moved = output.grad_candidates.take().expect("it was wanted");
        let mut back = vec![f32::NAN; moved.len()];
        for column in 0..count {
            back[from(column) * dim..][..dim].copy_from_slice(&moved[column * dim..][..dim]);
        }
        output.grad_candidates = Some(back);
        let objections = objections(loss, &case.batch(), &output, "permuted");
        assert!(objections.is_empty(), "{objections:?}");
    }
}
