//! Real data, from the folder that `WGLOSS_DATA` names. Without it the test is listed as ignored,
//! so that nobody takes its absence for a pass.
#![cfg(feature = "train")]

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;
use wgloss::{
    loss::Sl,
    train::{CpuBackend, Folds, Settings, Trainer, read::Source},
};

/// NDCG@20 over popularity's: MovieLens, the least favourable of the sets tried, reaches twice.
const MARGIN: f64 = 1.5;

fn main() {
    let arguments = Arguments::from_args();
    let folder = std::env::var_os("WGLOSS_DATA");
    let name = match &folder {
        Some(folder) => format!("sl_beats_popularity_on {}", folder.display()),
        None => {
            "real_data (skipped: set WGLOSS_DATA to a folder with train.tsv and test.tsv)".into()
        }
    };
    let missing = folder.is_none();
    let test = move || match &folder {
        Some(folder) => sl_beats_popularity(Path::new(folder)),
        None => Err("set WGLOSS_DATA".into()),
    };
    let trial = Trial::test(name, test).with_ignored_flag(missing);
    libtest_mimic::run(&arguments, vec![trial]).exit();
}

fn sl_beats_popularity(folder: &Path) -> Result<(), Failed> {
    let folds = Folds::new(&Source::new(folder).read()?.dataset, 0)?;
    let settings = Settings {
        epochs: 20,
        ..Settings::default()
    };
    let loss = Sl::new(0.2);
    let backend = CpuBackend::new(settings.start(&loss, &folds)?)?;
    let mut trainer = Trainer::new(&folds, settings, backend)?;
    trainer.run(&mut |_| {})?;
    let model = trainer.test(&[20])?.ok_or("no epoch was kept")?.at[0].ndcg;
    let popular = folds.popularity(&[20])?.at[0].ndcg;
    println!("NDCG@20: popularity {popular:.4}, sl after 20 epochs {model:.4}");
    if model > MARGIN * popular {
        return Ok(());
    }
    Err(format!("NDCG@20 {model}, popularity {popular}").into())
}
