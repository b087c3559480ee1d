//! Which kernel family runs what.

use crate::{
    case::Case,
    device::{context, open},
};
use serde_json::Value;
use std::{fs, path::Path, time::Duration};
use wgloss::{
    DynLoss, Error, Shape,
    gpu::{CacheFolder, Context, ContextOptions, LossKind, TuningClass},
    loss::{Bpr, Sl},
};

const CLASS: TuningClass = TuningClass {
    kind: LossKind::LogSumExp,
    dim: 32,
};

fn open_with(folder: &Path) -> Context {
    open(&ContextOptions {
        cache: CacheFolder::Folder(folder.into()),
        ..ContextOptions::default()
    })
}

fn shape(dim: usize) -> Shape {
    Case::new([5, 9, dim]).batch().shape().expect("it has one")
}

/// The name of the family that is taken for a loss.
fn taken(context: &Context, loss: &dyn DynLoss, dim: usize) -> String {
    let tuned = context.tuned(loss, &shape(dim)).expect("a context");
    tuned.family().id()
}

pub fn the_table_says_what_is_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let context = open_with(folder.path());
    assert_eq!(context.tunings(), []);
    let tuned = context.tune(CLASS).expect("it is measured");
    assert_eq!(tuned.times.len(), context.families().len());
    assert!(tuned.times.iter().all(|(_, time)| *time > Duration::ZERO));
    assert!(tuned.times.is_sorted_by_key(|(_, time)| *time));
    let fastest = tuned.family().expect("there are families").id();
    assert_eq!(taken(&context, &Sl::default(), 20), fastest);

    let again = open_with(folder.path());
    assert_eq!(again.tunings(), [tuned]);
    assert_eq!(taken(&again, &Sl::default(), 32), fastest);

    // What was the slowest is said to be the fastest.
    let path = (fs::read_dir(folder.path()).expect("a folder"))
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|end| end == "json"))
        .expect("the table");
    let mut table: Value = serde_json::from_slice(&fs::read(&path).expect("text")).expect("JSON");
    let seconds = table["seconds"][CLASS.to_string()]
        .as_object_mut()
        .expect("times");
    let slowest = seconds.iter().max_by(|one, other| {
        let of = |time: &Value| time.as_f64().expect("seconds");
        of(one.1).total_cmp(&of(other.1))
    });
    let slowest = slowest.expect("there are families").0.clone();
    seconds[&slowest] = 1e-9.into();
    fs::write(&path, table.to_string()).expect("it can be written");
    let misled = open_with(folder.path());
    assert_eq!(taken(&misled, &Sl::default(), 32), slowest);
    // Not for what was not measured, where nothing is measured unasked, nor against an order.
    let default = misled.family().id();
    if !wgloss::adapter::is_hardware(&misled.device().adapter_info()) {
        assert_eq!(taken(&misled, &Sl::default(), 33), default);
        assert_eq!(taken(&misled, &Bpr::default(), 32), default);
    }
    let asked = misled.pinned(&default).expect("it has it");
    assert_eq!(taken(&asked, &Sl::default(), 32), default);

    fs::write(&path, "{").expect("it can be written");
    assert_eq!(open_with(folder.path()).tunings(), []);
}

pub fn families_are_pinned_by_name_or_plan() {
    for family in context().families() {
        let id = family.id();
        for name in [id.clone(), format!("{id}-rows64-span1x1024")] {
            assert_eq!(context().pinned(&name).expect("it has it").family(), family);
        }
    }
    for unknown in ["", "Sub", "Plainlanes:80", "nothing"] {
        let error = context().pinned(unknown).expect_err("there is none");
        assert!(matches!(error, Error::Unknown { .. }), "{error}");
        let default = context().families()[0].id();
        assert!(error.to_string().contains(&default), "{error}");
    }
}
