//! What `compute` writes.

use crate::{Folder, Run, good, wgloss, with};
use serde_json::{Value, json};
use std::process::Stdio;

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().expect("a number")],
    }
}

#[test]
fn results_bear_the_names_of_the_case_file() {
    let folder = Folder::new();
    let case = folder.case("small.json", &good());
    folder.compute(&[&case]).succeeds();
    assert_eq!(folder.written(), ["small.json"]);
    let result = folder.result("small.json");
    let value = result["value"].as_f64().expect("a number");
    let rows = numbers(&result["row_values"]);
    assert_eq!(rows.len(), 3);
    assert!((value - rows.iter().sum::<f64>() / 3.0).abs() < 1e-12);
    assert_eq!(result["grad_queries"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        result["grad_candidates"][3].as_array().map(Vec::len),
        Some(2)
    );
    assert!(result.get("grad_bias").is_none());
}

#[test]
fn frozen_candidates_have_no_gradient_and_a_bias_has_one() {
    let folder = Folder::new();
    let fields = json!({
        "loss": {"loss": "uss", "scale": 8.0}, "bias": 1.5, "candidates_frozen": true,
    });
    let case = folder.case("uss.json", &with(fields));
    for device in ["reference", "cpu"] {
        folder.compute_on(device, &[&case]).succeeds();
        let result = folder.result("uss.json");
        assert!(result["grad_candidates"].is_null());
        assert!(result["grad_bias"].is_f64());
    }
}

#[test]
fn state_has_the_names_of_the_case_file() {
    let folder = Folder::new();
    let sog_clr = json!({
        "loss": {"loss": "sog_clr", "gamma": 0.5}, "moving_average_before": [0.0, 2.0, 4.0],
    });
    let llpauc = json!({
        "loss": {"loss": "llpauc"},
        "state": {
            "gamma": 0.0, "a": 1.0, "b": 0.25, "s_pos": 0.5, "s_neg": 0.5, "theta_a": 0.5, "theta_b": 0.5,
        },
    });
    let sog_clr = folder.case("sog_clr.json", &with(sog_clr));
    let llpauc = folder.case("llpauc.json", &with(llpauc));
    for device in ["reference", "cpu"] {
        folder.compute_on(device, &[&sog_clr, &llpauc]).succeeds();
        let after = numbers(&folder.result("sog_clr.json")["moving_average_after"]);
        assert_eq!(after.len(), 3);
        // What was there still counts for half.
        assert!(
            after[0] > 0.0 && after[1] > 1.0 && after[2] > 2.0,
            "{after:?}"
        );
        let gradient = &folder.result("llpauc.json")["grad_state"];
        let names: Vec<&String> = gradient.as_object().expect("an object").keys().collect();
        assert_eq!(names.len(), 7);
        // a + γ, and γ + 1 − b.
        assert_eq!(gradient["theta_a"], 1.0);
        assert_eq!(gradient["theta_b"], 0.75);
    }
}

#[test]
fn batches_of_pair_losses_are_case_files_too() {
    let folder = Folder::new();
    // Samples 0 and 2 are of one label, sample 1 is alone.
    let samples = json!([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]);
    let own = |loss: &str, kept: bool| {
        let fields = json!({
            "loss": {"loss": loss, "tau": 0.5}, "queries": samples, "candidates": samples,
            "positives": {"offsets": [0, 1, 1, 2], "ids": [2, 0]},
            "exclude_self": true, "positives_in_columns": kept,
        });
        folder.case(&format!("{loss}.json"), &with(fields))
    };
    let anchor = with(json!({
        "loss": {"loss": "proxy_anchor", "alpha": 4.0}, "positive_weight": [2.0, 2.0, 2.0],
        // The last class has no sample.
        "positives": [0, 1, 4_294_967_294_u32],
    }));
    let anchor = folder.case("proxy_anchor.json", &anchor);
    let [sup_con, nt_xent] = [own("sup_con", true), own("nt_xent", false)];
    folder.compute(&[&sup_con, &nt_xent, &anchor]).succeeds();
    let value = |name: &str| folder.result(name)["value"].as_f64().expect("a number");
    // Cosines: 0.6 with the positive; 0 and 0.8 with the sample that is alone.
    let expected = 0.5 * ((-1.2_f64).exp().ln_1p() + 0.4_f64.exp().ln_1p());
    for name in ["sup_con.json", "nt_xent.json"] {
        assert!((value(name) - expected).abs() < 1e-12, "{}", value(name));
    }
    assert_eq!(
        numbers(&folder.result("proxy_anchor.json")["row_values"]).len(),
        3
    );
}

#[test]
fn gradients_of_given_scores_are_listed_as_the_scores_are() {
    let folder = Folder::new();
    let case = json!({
        "loss": {"loss": "s_dpo", "beta": 0.5}, "policy_chosen": [1.0, 2.0],
        "policy_rejected": [[1.0, 0.0], [0.5, 0.0], [0.0, 0.0]],
    });
    let case = folder.case("scores.json", &case);
    folder.compute(&[&case]).succeeds();
    let result = folder.result("scores.json");
    let chosen = numbers(&result["grad_policy_chosen"]);
    let slots = result["grad_policy_rejected"].as_array().expect("slots");
    assert_eq!((chosen.len(), slots.len()), (2, 3));
    for (row, chosen) in chosen.iter().enumerate() {
        // Only differences of scores count.
        let all: f64 = slots.iter().map(|slot| numbers(slot)[row]).sum();
        assert!((all + chosen).abs() < 1e-12 && *chosen < 0.0);
    }
}

#[test]
fn an_older_result_is_replaced() {
    let folder = Folder::new();
    let case = folder.case("small.json", &good());
    std::fs::create_dir(folder.out()).expect("a folder");
    folder.write("out/small.json", "old");
    folder.compute(&[&case]).succeeds();
    assert!(folder.result("small.json")["value"].is_f64());
    assert_eq!(folder.written(), ["small.json"]);
}

#[test]
fn matrices_lie_beside_the_case() {
    let folder = Folder::new();
    let inline = folder.case("inline.json", &good());
    folder.compute(&[&inline]).succeeds();

    let queries: Vec<u8> = numbers(&good()["queries"])
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }\n";
    let mut npy = b"\x93NUMPY\x01\x00".to_vec();
    npy.extend([header.len() as u8, 0]);
    npy.extend(header.as_bytes());
    npy.extend(queries);
    folder.write("queries.npy", npy);

    let candidates: Vec<u8> = numbers(&good()["candidates"])
        .iter()
        .flat_map(|x| (*x as f32).to_le_bytes())
        .collect();
    let header = r#"{"items":{"dtype":"F32","shape":[4,2],"data_offsets":[0,32]}}"#;
    let mut tensors = (header.len() as u64).to_le_bytes().to_vec();
    tensors.extend(header.as_bytes());
    tensors.extend(candidates);
    folder.write("candidates.safetensors", tensors);

    let fields = json!({
        "queries": {"npy": "queries.npy"},
        "candidates": {"safetensors": "candidates.safetensors", "tensor": "items"},
    });
    let beside = folder.case("beside.json", &with(fields));
    folder.compute(&[&beside]).succeeds();
    let (a, b) = (folder.result("inline.json"), folder.result("beside.json"));
    assert_eq!(a["value"], b["value"]);
    assert_eq!(a["grad_candidates"], b["grad_candidates"]);
}

#[test]
fn the_error_is_shown_where_results_are_given() {
    let folder = Folder::new();
    let plain = folder.case("plain.json", &good());
    let run = folder.compute(&[&plain]);
    assert!(
        run.stdout.contains("no results to compare"),
        "{}",
        run.stdout
    );
    let value = folder.result("plain.json")["value"]
        .as_f64()
        .expect("a number");
    let wrong = folder.case("wrong.json", &with(json!({"value": 2.0 * value})));
    let run = folder.compute(&[&wrong]);
    run.succeeds();
    assert!(run.stdout.contains("value 5.0e-1"), "{}", run.stdout);
}

#[test]
fn shared_columns_and_zero_vectors() {
    let folder = Folder::new();
    let fields = json!({
        "columns": [1, 1, 2],
        "queries": [[0.0, 0.0], [0.5, 0.5], [-1.0, 0.25]],
    });
    let case = folder.case("shared.json", &with(fields));
    let run = folder.compute(&[&case]);
    run.succeeds();
    assert!(run.stdout.contains("zero vectors: 1"), "{}", run.stdout);
    let result = folder.result("shared.json");
    assert_eq!(numbers(&result["grad_queries"][0]), [0.0, 0.0]);
    assert_eq!(result["counts"]["zero_queries"], 1);
}

#[test]
fn results_are_written_although_nobody_reads_the_screen() {
    let folder = Folder::new();
    let files: Vec<_> = (0..20)
        .map(|k| folder.case(&format!("case{k}.json"), &good()))
        .collect();
    let mut command = wgloss();
    command.args(["compute", "--device", "reference", "--out"]);
    command.arg(folder.out()).args(&files);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    drop(child.stdout.take());
    let run = Run::of(child.wait_with_output().expect("it ends"));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(folder.written().len(), 20);
}

/// What evaluations renew goes in as `state` and comes out as `state_after`, without a gradient.
#[test]
fn renewed_state_and_sub_centres() {
    let folder = Folder::new();
    let curricular = json!({
        "loss": {"loss": "curricular_face", "gamma": 1.0, "margin": 0.0},
        "state": {"mean_cosine": 0.25}, "state_after": {"mean_cosine": 0.25},
    });
    let curricular = folder.case("curricular.json", &with(curricular));
    let centres = json!({
        "loss": {"loss": "arc_face"}, "columns_per_class": 2, "positives": [0, 1, 1],
    });
    let centres = folder.case("centres.json", &with(centres));
    for device in ["reference", "cpu"] {
        folder
            .compute_on(device, &[&curricular, &centres])
            .succeeds();
        let result = folder.result("curricular.json");
        let mean = result["state_after"]["mean_cosine"]
            .as_f64()
            .expect("a number");
        assert!((-1.0..=1.0).contains(&mean) && mean != 0.25, "{mean}");
        assert!(result.get("grad_state").is_none() && result.get("grad_bias").is_none());
        assert!(folder.result("centres.json")["value"].is_f64());
    }
}
