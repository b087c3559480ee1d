//! The table as a file.

use super::{Tuned, TuningClass};
use crate::gpu::{Family, cache_folder::keep};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fs, path::Path, time::Duration};

/// Other versions have other kernels.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Reads what a file knows of this adapter; nothing of one that is unreadable, another driver's or
/// another version's. Families that the device does not have are left out.
pub(super) fn read(
    path: &Path,
    adapter: &str,
    families: &[Family],
) -> BTreeMap<TuningClass, Tuned> {
    let text = fs::read(path).unwrap_or_default();
    let file: Value = serde_json::from_slice(&text).unwrap_or_default();
    if file["adapter"] != adapter || file["version"] != VERSION {
        return BTreeMap::new();
    }
    let choices = file["seconds"].as_object().into_iter().flatten();
    let known = choices.filter_map(|(name, times)| {
        let class = class_of(name)?;
        Some((class, tuned(class, times.as_object()?, families)?))
    });
    known.collect()
}

/// A class by its name.
fn class_of(name: &str) -> Option<TuningClass> {
    let dim = name.rsplit_once('-')?.1.parse().ok()?;
    let mut classes = TuningClass::all(&[dim]).into_iter();
    classes.find(|class| class.to_string() == name)
}

fn tuned(class: TuningClass, seconds: &Map<String, Value>, families: &[Family]) -> Option<Tuned> {
    let time = |family: &Family| {
        let seconds = seconds.get(&family.id())?.as_f64()?;
        Some((*family, Duration::try_from_secs_f64(seconds).ok()?))
    };
    let mut times: Vec<_> = families.iter().filter_map(time).collect();
    times.sort_by_key(|(_, time)| *time);
    // Of a family that was not measured nobody knows whether it is faster.
    (times.len() == families.len()).then_some(Tuned { class, times })
}

/// Writes the table.
pub(super) fn write(path: &Path, adapter: &str, known: &BTreeMap<TuningClass, Tuned>) {
    let times = |tuned: &Tuned| {
        let times = tuned.times.iter();
        times
            .map(|(family, time)| (family.id(), json!(time.as_secs_f64())))
            .collect::<Map<String, Value>>()
    };
    let seconds: Map<String, Value> = (known.iter())
        .map(|(class, tuned)| (class.to_string(), Value::Object(times(tuned))))
        .collect();
    let file = json!({ "adapter": adapter, "version": VERSION, "seconds": seconds });
    keep(path, format!("{file:#}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::LossKind;

    const FAMILIES: [Family; 2] = [Family::Subgroup { lanes: 8 }, Family::Plain { lanes: 8 }];

    fn table() -> BTreeMap<TuningClass, Tuned> {
        let of = |kind, dim, seconds: [f64; 2]| {
            let class = TuningClass { kind, dim };
            let mut times: Vec<_> = (FAMILIES.into_iter())
                .zip(seconds.map(Duration::from_secs_f64))
                .collect();
            times.sort_by_key(|(_, time)| *time);
            (class, Tuned { class, times })
        };
        BTreeMap::from([
            of(LossKind::LogSumExp, 64, [0.25, 0.5]),
            of(LossKind::SecondTile, 512, [0.5, 0.125]),
        ])
    }

    #[test]
    fn a_table_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("tuning.json");
        assert_eq!(read(&path, "here", &FAMILIES), BTreeMap::new());
        write(&path, "here", &table());
        let known = read(&path, "here", &FAMILIES);
        assert_eq!(known, table());
        let fastest: Vec<_> = known.values().map(Tuned::family).collect();
        assert_eq!(fastest, FAMILIES.map(Some));
    }

    #[test]
    fn what_does_not_fit_is_ignored() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("tuning.json");
        let nothing = BTreeMap::new();
        write(&path, "here", &table());
        assert_eq!(read(&path, "another driver", &FAMILIES), nothing);
        let more = [FAMILIES[0], FAMILIES[1], Family::Plain { lanes: 32 }];
        assert_eq!(read(&path, "here", &more), nothing);
        let text = fs::read_to_string(&path).expect("it is there");
        for bad in [
            "",
            "{",
            "[]",
            &text[..text.len() / 2],
            &text.replace(VERSION, "0.0.0-other"),
            &text.replace("0.25", "-1").replace("0.125", "\"fast\""),
            &text
                .replace("log-sum-exp-64", "log-sum-exp")
                .replace("second-tile", "third-tile"),
        ] {
            fs::write(&path, bad).expect("it can be written");
            assert_eq!(read(&path, "here", &FAMILIES), nothing, "{bad}");
        }
    }
}
