//! Compiled pipelines on disk.

use crate::{
    case::Case,
    device::{bits, open, run},
};
use std::{fs, path::Path};
use wgloss::{
    gpu::{CacheFolder, Context, ContextOptions},
    loss::Sl,
    wgpu,
};

/// The bits of an evaluation on a device of its own, which is gone afterwards.
fn evaluate(cache: CacheFolder) -> (Vec<u32>, bool) {
    let context: Context = open(&ContextOptions {
        cache,
        ..ContextOptions::default()
    });
    let features = context.device().features();
    let case = Case::new([9, 70, 12]);
    let bits = bits(&run(&context, &Sl::new(0.2), &case.batch()));
    (bits, features.contains(wgpu::Features::PIPELINE_CACHE))
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

pub fn is_kept_between_devices_and_made_anew() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = folder.path().join("not there yet");
    let cache = || CacheFolder::Folder(here.clone());
    let (expected, offered) = evaluate(CacheFolder::Off);
    assert_eq!(evaluate(cache()).0, expected);
    let kept = files(&here);
    assert_eq!(kept.len(), usize::from(offered), "{kept:?}");
    let Some(path) = kept.first() else {
        return;
    };
    let good = fs::read(path).expect("it is there");
    assert!(good.starts_with(b"wglosspc"), "{:?}", &good[..8]);
    assert_eq!(evaluate(cache()).0, expected);
    let mut flipped = good.clone();
    *flipped.last_mut().expect("it is not empty") ^= 1;
    for bad in [
        &b""[..],
        b"something else",
        &good[..good.len() - 1],
        &flipped,
    ] {
        fs::write(path, bad).expect("it can be written");
        assert_eq!(evaluate(cache()).0, expected);
        let renewed = fs::read(path).expect("it is there");
        assert!(
            renewed.starts_with(b"wglosspc") && renewed != bad,
            "{} bytes",
            bad.len()
        );
        assert_eq!(files(&here), kept);
    }
}
