//! Files that are no cases, and fields and losses that are wrong.

use crate::{Folder, good, with};
use serde_json::{Value, json};

/// The case alone fails with a message that names the file and contains `parts`, and a good case
/// beside it is evaluated all the same.
pub fn rejected(case: &Value, parts: &[&str]) {
    let folder = Folder::new();
    let bad = folder.case("bad.json", case);
    rejected_beside_a_good_one(&folder, &bad, parts);
}

pub fn rejected_beside_a_good_one(folder: &Folder, bad: &std::path::Path, parts: &[&str]) {
    let good = folder.case("good.json", &good());
    let run = folder.compute(&[bad, &good]);
    run.fails_with(parts);
    run.fails_with(&["bad.json"]);
    assert_eq!(folder.written(), ["good.json"]);
    assert!(
        run.stdout.contains("1 of 2 cases evaluated"),
        "{}",
        run.stdout
    );
}

pub fn rejected_text(text: impl AsRef<[u8]>, parts: &[&str]) {
    let folder = Folder::new();
    let bad = folder.write("bad.json", text);
    rejected_beside_a_good_one(&folder, &bad, parts);
}

#[test]
fn files_that_are_no_cases() {
    rejected_text("", &["empty"]);
    rejected_text("{\n\"loss\": ", &["bad.json:2", "EOF"]);
    rejected_text("[1, 2]", &["expected an object"]);
    rejected_text("{\"loss\": 1, \"loss\": 2}", &["`loss` appears twice"]);
    rejected_text([0xff, 0xfe], &["UTF-8"]);
    let folder = Folder::new();
    rejected_beside_a_good_one(&folder, &folder.path("bad.json"), &["No such file"]);
    std::fs::create_dir(folder.path("bad.json")).expect("a folder");
    rejected_beside_a_good_one(&folder, &folder.path("bad.json"), &["directory"]);
}

#[test]
fn losses_and_parameters() {
    rejected(
        &with(json!({"loss": {"loss": "slx"}})),
        &["`slx`", "sl, info_nce, psl"],
    );
    rejected(&with(json!({"loss": {"tau": 1.0}})), &["loss", "NAME"]);
    rejected(&with(json!({"loss": "sl"})), &["loss: invalid type"]);
    rejected(
        &with(json!({"loss": {"loss": "sl", "taux": 1.0}})),
        &[
            "parameter `taux`",
            "tau, positive_in_sum, score, score_scale",
        ],
    );
    rejected(
        &with(json!({"loss": {"loss": "sl", "tau": "hot"}})),
        &["loss", "\"hot\""],
    );
    rejected(
        &with(json!({"loss": {"loss": "psl", "activation": "sine"}})),
        &["loss", "`sine`", "atan"],
    );
    for tau in [0.0, -1.0] {
        rejected(
            &with(json!({"loss": {"loss": "sl", "tau": tau}})),
            &["tau", "above 0"],
        );
    }
    rejected(
        &with(json!({"loss": {"loss": "psl", "activation": "atan", "score": "dot"}})),
        &["psl: score", "cosine"],
    );
    rejected(
        &with(json!({"loss": {"loss": "psl", "activation": "atan", "score_scale": 0.8}})),
        &["psl: score_scale", "tan 1"],
    );
    rejected(&with(json!({"loss": {"loss": "bsl"}})), &["loss", "form"]);
    rejected(
        &with(json!({"loss": {"loss": "bsl", "form": "single", "tau": 0.1, "tau1": 0.1}})),
        &["loss", "tau1"],
    );
    rejected(
        &with(json!({"loss": {"loss": "psl", "method": 2}, "reduction": "sum"})),
        &["method 2", "mean"],
    );
}

#[test]
fn fields() {
    for name in ["loss", "queries", "candidates", "positives"] {
        let mut case = good();
        case.as_object_mut().expect("an object").remove(name);
        rejected(&case, &[name, "is missing"]);
        rejected(&with(json!({ name: null })), &[name, "is missing"]);
        rejected(&with(json!({ name: true })), &[name, "invalid type"]);
    }
    rejected(&with(json!({"querys": []})), &["field `querys`", "queries"]);
    rejected(
        &with(json!({"name": "../elsewhere"})),
        &["name", "plain file name"],
    );
    rejected(&with(json!({"name": ""})), &["name", "plain file name"]);
    rejected(
        &with(json!({"reduction": "max"})),
        &["`max`", "mean, sum, none"],
    );
    rejected(
        &with(json!({"reduction": "none"})),
        &["upstream", "missing"],
    );
    rejected(
        &with(json!({"upstream": [1.0, 1.0, 1.0]})),
        &["upstream", "none"],
    );
    rejected(
        &with(json!({"bias": 1.0})),
        &["bias", "no input of loss sl"],
    );
    rejected(
        &with(json!({"adv_queries": [[1.0]]})),
        &["adv_queries", "no input"],
    );
    rejected(
        &with(json!({"loss": {"loss": "uss"}})),
        &["bias", "missing"],
    );
    rejected(
        &with(json!({"loss": {"loss": "adv_info_nce"}})),
        &["adv_queries", "missing"],
    );
    rejected(
        &with(json!({"columns": [0], "negatives": [[0], [1], [2]]})),
        &["columns"],
    );
}

#[test]
fn state_that_is_missing_or_does_not_fit_is_named() {
    let sl_at_k = json!({"loss": "sl_at_k"});
    let sog_clr = json!({"loss": "sog_clr"});
    let llpauc = json!({"loss": "llpauc"});
    rejected(
        &with(json!({"loss": sl_at_k})),
        &["row_quantile", "is missing"],
    );
    rejected(
        &with(json!({"loss": sl_at_k, "row_quantile": [0.5]})),
        &["row_quantile", "expected 3 numbers", "got 1"],
    );
    rejected(
        &with(json!({"row_quantile": [0.5, 0.5, 0.5]})),
        &["row_quantile", "does not go with this loss"],
    );
    rejected(
        &with(json!({"loss": sog_clr, "moving_average_before": [1.0, -1.0, 0.0]})),
        &["moving_average_before", "got -1"],
    );
    rejected(
        &with(json!({
            "loss": sog_clr, "moving_average_before": [1.0, 1.0, 0.0], "moving_average_after": [1.0],
        })),
        &["moving_average_after", "expected 3 numbers, got 1"],
    );
    rejected(&with(json!({"loss": llpauc})), &["state", "is missing"]);
    rejected(
        &with(json!({"loss": llpauc, "state": {"a": 1.0}})),
        &["state", "`b`", "expected a number"],
    );
    rejected(
        &with(json!({"loss": llpauc, "state": {"alpha": 1.0}})),
        &["state", "unknown `alpha`", "a, b, s_pos"],
    );
    rejected(
        &with(json!({"loss": llpauc, "bias": 1.0})),
        &["bias", "no input"],
    );
}

#[test]
fn given_scores_that_do_not_fit_are_named() {
    let scores = |fields: serde_json::Value| {
        let mut case = json!({
            "loss": {"loss": "s_dpo"}, "policy_chosen": [1.0, 2.0],
            "policy_rejected": [[1.0, 0.0], [0.5, 0.0], [0.0, 0.0]],
        });
        for (name, value) in fields.as_object().expect("an object") {
            case[name] = value.clone();
        }
        case
    };
    for (fields, expected) in [
        (
            json!({"policy_rejected": null}),
            ["policy_rejected", "is missing"],
        ),
        (
            json!({"policy_rejected": [[1.0]]}),
            ["policy_rejected", "expected 2 numbers"],
        ),
        (
            json!({"reference_chosen": [0.0, 0.0]}),
            ["reference_rejected", "is missing"],
        ),
        (
            json!({"reference_chosen": [0.0, 0.0], "reference_rejected": [[0.0, 0.0]]}),
            ["reference_rejected", "expected 3 lists, got 1"],
        ),
        (
            json!({"loss": {"loss": "arc_face"}}),
            ["policy_chosen", "no input of loss arc_face"],
        ),
        (
            json!({"queries": [[1.0]]}),
            ["queries", "does not go with this loss"],
        ),
        (
            json!({"grad_policy_rejected": [[0.0, 0.0]]}),
            ["grad_policy_rejected", "expected 3 lists of 2 numbers"],
        ),
    ] {
        rejected(&scores(fields), &expected);
    }
}

#[test]
fn reference_tables_that_do_not_fit_are_named() {
    let loss = json!({"loss": "s_dpo", "reference": "tables"});
    rejected(
        &with(json!({"loss": loss})),
        &["reference_queries", "is missing"],
    );
    rejected(
        &with(json!({
            "loss": loss, "reference_queries": [[1.0], [1.0], [1.0]], "reference_candidates": [[1.0]],
        })),
        &[
            "reference_candidates",
            "expected 4 rows of 1 numbers, got 1 of 1",
        ],
    );
}
