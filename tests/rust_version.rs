//! Every dependency builds with the Rust version that this crate promises.

use serde_json::Value;
use std::{collections::HashMap, process::Command};

/// The target that this compiler builds for.
fn host() -> String {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .expect("rustc runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_string()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--all-features"])
        // Tests must not wait for a registry: what this platform needs is here.
        .args(["--locked", "--offline", "--filter-platform", &host()])
        .arg("--manifest-path")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {errors}");
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

/// "1.89" → (1, 89, 0).
fn version(text: &str) -> (u32, u32, u32) {
    let mut parts = text
        .split(['.', '-'])
        .map(|part| part.parse().expect("a version is numbers"));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next())
}

#[test]
fn dependencies_declare_no_newer_rust() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let declared: HashMap<&str, &str> = packages
        .iter()
        .filter_map(|p| Some((p["id"].as_str()?, p["rust_version"].as_str()?)))
        .collect();
    let root = metadata["resolve"]["root"].as_str().expect("a root");
    let ours = version(declared[root]);
    assert_eq!(ours, (1, 89, 0));
    let mut compared = 0;
    for package in packages {
        if let Some(theirs) = package["rust_version"].as_str() {
            compared += 1;
            let name = &package["name"];
            assert!(
                version(theirs) <= ours,
                "{name} {} needs Rust {theirs}",
                package["version"]
            );
        }
    }
    assert!(compared > 20, "only {compared} declare a version");
}
