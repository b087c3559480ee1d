//! `wgloss train` with every loss, on both devices.

use crate::{Folder, train::data};
use serde_json::Value;

const LOSSES: [&str; 18] = [
    "--loss info_nce --tau 0.2",
    "--loss psl --activation relu --tau 0.1",
    "--loss psl --method 2",
    "--loss bsl --tau1 0.5 --tau2 0.2",
    "--loss bsl --form published --tau1 0.2 --tau2 0.2",
    "--loss arc_face --scale 10 --margin 0.2",
    "--loss adv_info_nce --adv-schedule replace=2 --adv-lr 0.01",
    "--loss uss --scale 8",
    "--loss uce --form exponential --scale 8 --margin 0.7",
    "--loss sphere_face2 --kind a --scale 8 --margin 0.3",
    "--loss multi_similarity --beta 10",
    "--loss scaled_info_nce --batch-by users",
    "--loss bpr --preset sl-at-k/health",
    "--loss llpauc --preset sl-at-k/health --negatives full",
    "--loss sl_at_k --loss-k 5 --quantile-every 1",
    "--loss s_dpo --score cosine --beta 4",
    "--loss sog_sl_at_k --loss-k 5 --quantile-every 1 --negatives sampled=10",
    "--loss lambda_loss_at_k --loss-k 5 --negatives sampled=3 --init 1",
];

/// The losses of both epochs on a device.
fn two_epochs(folder: &Folder, loss: &str, device: &str) -> [f64; 2] {
    let arguments = format!("{loss} --epochs 2 --batch 100 --json --device {device}");
    let run = folder.train(&arguments);
    assert_eq!(run.code, 0, "{device}: {}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).expect("the report alone");
    [0, 1].map(|at| report["epochs"][at]["loss"].as_f64().expect("a number"))
}

#[test]
fn a_gpu_trains_as_the_cpu_does() {
    let folder = data();
    for loss in LOSSES {
        let [cpu, gpu] = ["cpu", "gpu"].map(|device| two_epochs(&folder, loss, device));
        for (cpu, gpu) in cpu.into_iter().zip(gpu) {
            let close = (cpu - gpu).abs() <= 1e-3 * cpu.abs().max(0.1);
            assert!(close, "{loss}: {cpu} on the CPU, {gpu} on the GPU");
        }
    }
}

#[test]
fn every_loss_trains() {
    let folder = data();
    for loss in LOSSES {
        folder.train(&format!("{loss} --epochs 1")).succeeds();
    }
}
