//! State that does not fit, and losses that ask for what is not there, are told by name.

use super::{Learning, Referring, Remembering, losses::Demanding, planted, sampled, settings};
use wgloss::{
    DynLoss,
    loss::{AdvInfoNce, Sl},
    train::{AdversarySchedule, CpuBackend, Embeddings, SecondTables, Settings, Start},
};

fn refusal(start: Start<'_>) -> String {
    CpuBackend::new(start).unwrap_err().to_string()
}

fn second_of<'a>(start: &'a mut Start<'_>) -> &'a mut SecondTables {
    start.state.second.as_mut().unwrap()
}

#[test]
fn state_of_the_wrong_size_is_named() {
    let folds = planted();
    let adversary = AdvInfoNce::default();
    let told = |loss: &dyn DynLoss, spoil: &dyn Fn(&mut Start<'_>), expected: &str| {
        let mut start = settings().start(loss, &folds).unwrap();
        spoil(&mut start);
        let error = refusal(start);
        assert!(error.starts_with(expected), "{error}");
    };
    told(
        &Learning,
        &|start| start.state.scalars.clear(),
        "scalars: expected 3 numbers, the scalars of learning, got 0",
    );
    told(
        &Learning,
        &|start| start.state.scalar_moments.lists[1].push(0.0),
        "scalar_moments: expected 2 lists of 3 numbers, got [3, 4]",
    );
    told(
        &Remembering { k: 1 },
        &|start| start.state.query_parameters.truncate(7),
        "query_parameters: expected 400 numbers, 2 of remembering for each of 200 users, got 7",
    );
    told(
        &adversary,
        &|start| start.state.second = None,
        "second tables: expected tables of users and items for adv_info_nce, got none",
    );
    told(
        &adversary,
        &|start| second_of(start).tables.candidates.truncate(16),
        "second candidates: expected 120 rows of 8 numbers, got 16 numbers",
    );
    told(
        &adversary,
        &|start| second_of(start).moments[0].lists.clear(),
        "adversary's moments: expected 2 lists of 1600 numbers",
    );
    let second = settings().start(&adversary, &folds).unwrap().state.second;
    told(
        &Sl::new(0.2),
        &|start| start.state.second = second.clone(),
        "second tables: expected none for sl, got some",
    );
}

#[test]
fn what_a_loss_needs_and_there_is_not() {
    let folds = planted();
    let told = |loss: &dyn DynLoss, settings: Settings, expected: &str| {
        let error = refusal(settings.start(loss, &folds).unwrap());
        assert!(error.contains(expected), "{error}");
    };
    let largest = "remembering: k = 121: must be from 1 to 120, the number of items";
    told(&Remembering { k: 121 }, settings(), largest);
    told(&Remembering { k: 0 }, settings(), "remembering: k = 0");
    let demanding = |entries, ranks| Demanding { entries, ranks };
    told(
        &demanding(true, false),
        sampled(),
        "numbers per sampled entry",
    );
    told(
        &demanding(false, true),
        settings(),
        "--negatives sampled=COUNT",
    );
    let mut always = settings();
    always.adversary.schedule = AdversarySchedule::Replace { every: 1 };
    told(&AdvInfoNce::default(), always, "adv_schedule = replace=1");
}

#[test]
fn a_reference_belongs_to_losses_that_take_one() {
    let folds = planted();
    let reference = |rows: usize| Embeddings {
        dim: 2,
        queries: vec![1.0; rows * 2],
        candidates: vec![1.0; 240],
    };
    let sl = Sl::new(0.2);
    let start = settings().start(&sl, &folds).unwrap();
    let error = start.with_reference(reference(200)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "sl: takes no tables of a reference model"
    );
    let adversary = AdvInfoNce::default();
    let start = settings().start(&adversary, &folds).unwrap();
    assert!(start.with_reference(reference(200)).is_err());
    let start = settings().start(&Referring, &folds).unwrap();
    let error = refusal(start.with_reference(reference(7)).unwrap());
    assert!(
        error.starts_with("second queries: expected 200 rows"),
        "{error}"
    );
}
