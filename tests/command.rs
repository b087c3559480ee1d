//! The built command: what it writes, and that every bad input is one line on standard error, the
//! right exit code, and no lost file.

#[path = "command/bad_cases.rs"]
mod bad_cases;
#[path = "command/bad_folders.rs"]
mod bad_folders;
#[path = "command/bad_tables.rs"]
mod bad_tables;
#[path = "command/bench.rs"]
mod bench;
#[path = "command/data.rs"]
mod data;
#[path = "command/evaluate.rs"]
mod evaluate;
#[path = "command/listings.rs"]
mod listings;
#[path = "command/recommend.rs"]
mod recommend;
#[path = "command/results.rs"]
mod results;
#[path = "command/resume.rs"]
mod resume;
#[path = "command/train.rs"]
mod train;
#[path = "command/train_losses.rs"]
mod train_losses;
#[path = "command/train_schedules.rs"]
mod train_schedules;
#[path = "command/whole_way.rs"]
mod whole_way;

use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// A command line, run to its end.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    fn of(output: Output) -> Run {
        Run {
            code: output.status.code().expect("it was not killed"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Exactly one complaint, which contains all of `parts`, and exit code 1.
    fn fails_with(&self, parts: &[&str]) {
        assert_eq!(self.code, 1, "{}", self.stderr);
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert_eq!(lines.len(), 1, "{}", self.stderr);
        assert!(lines[0].starts_with("wgloss: "), "{}", lines[0]);
        for part in parts {
            assert!(lines[0].contains(part), "no {part:?} in: {}", lines[0]);
        }
    }

    fn succeeds(&self) {
        assert_eq!(
            (self.code, self.stderr.as_str()),
            (0, ""),
            "{}",
            self.stdout
        );
    }
}

fn wgloss() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wgloss"));
    // A layer of Mesa's looks for a display and complains on its own where there is none.
    command.env("NODEVICE_SELECT", "1");
    // Tests leave the user's folders alone.
    command.env("WGLOSS_CACHE", "off");
    command.stdin(Stdio::null());
    command
}

/// A folder with case files, and a folder for results in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).expect("it can be written");
        path
    }

    fn case(&self, name: &str, case: &Value) -> PathBuf {
        self.write(name, case.to_string())
    }

    fn out(&self) -> PathBuf {
        self.path("out")
    }

    /// Runs `compute` on the reference, with results in `out`.
    fn compute(&self, files: &[&Path]) -> Run {
        self.compute_on("reference", files)
    }

    fn compute_on(&self, device: &str, files: &[&Path]) -> Run {
        let mut command = wgloss();
        command.args(["compute", "--device", device, "--out"]);
        command.arg(self.out()).args(files);
        Run::of(command.output().expect("it runs"))
    }

    /// Names of the files in `out`, sorted; hidden ones too.
    fn written(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.out()) else {
            return Vec::new();
        };
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.expect("it can be listed").file_name()
        };
        let mut names: Vec<String> = entries
            .map(|entry| name(entry).to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn result(&self, name: &str) -> Value {
        let text = std::fs::read(self.out().join(name)).expect("the result is there");
        serde_json::from_slice(&text).expect("the result is JSON")
    }
}

/// A small good case, to be spoiled.
fn good() -> Value {
    json!({
        "loss": {"loss": "sl", "tau": 0.2},
        "dim": 2,
        "queries": [[1.0, 0.0], [0.5, 0.5], [-1.0, 0.25]],
        "candidates": [[1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [2.0, 2.0]],
        "positives": [0, 1, 3],
    })
}

/// The good case with some fields replaced.
fn with(fields: Value) -> Value {
    let mut case = good();
    for (name, value) in fields.as_object().expect("an object") {
        case[name] = value.clone();
    }
    case
}
