//! Shader text from fragments: a stage, the fragments it imports, the loss's functions, and the
//! unrolled tile loops. Pure text, no device.
//!
//! Directives stand on lines of their own:
//!
//! | line | meaning |
//! |---|---|
//! | `#import NAME` | the shared fragment, once, before this one; `loss` is the loss's text |
//! | `#insert NAME key=value…` | the fragment here, with `$key` replaced |
//! | `#for v COUNT` … `#end` | the lines COUNT times, with `$v` replaced by 0, 1, … |
//! | `#if FLAG` … `#else` … `#end` | one side or the other |
//! | `#bind read\|write NAME TYPE` | the next storage binding |
//! | `#packed NAME` | the next storage binding, packed rows to read through `NAME_numbers` and `NAME_record` |

mod fragments;

use fragments::DEFAULTS;
pub use fragments::FRAGMENTS;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Flags and numbers that a shader text depends on, beside stage and loss. What names a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Variant {
    /// Flags that are on.
    pub flags: Vec<&'static str>,
    /// Counts by name (`LANES`, `THETAS`, …).
    pub counts: Vec<(&'static str, u32)>,
}

impl Variant {
    fn has(&self, flag: &str) -> bool {
        self.flags.contains(&flag)
    }

    fn count(&self, name: &str) -> Option<u32> {
        name.parse().ok().or_else(|| {
            self.counts
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, count)| *count)
        })
    }
}

/// Everything that composing one text needs.
struct Composer<'a> {
    variant: &'a Variant,
    loss: &'a str,
    seen: BTreeSet<String>,
    bindings: u32,
    /// Finished fragments, in order of first import.
    out: String,
}

/// The flag under which packed numbers are halves.
pub const HALF: &str = "PACKED_HALF";

/// First storage binding; below it the job and the parameters.
pub const FIRST_STORAGE: u32 = 2;

/// The WGSL text of a stage.
///
/// # Errors
/// A directive that does not parse, an unknown fragment or count.
pub fn compose(stage: &str, source: &str, loss: &str, variant: &Variant) -> Result<String, String> {
    let mut composer = Composer {
        variant,
        loss,
        seen: BTreeSet::new(),
        bindings: FIRST_STORAGE,
        out: String::new(),
    };
    let lines: Vec<String> = source.lines().map(str::to_owned).collect();
    let body = composer.expand(stage, &lines)?;
    let text = format!("{}// ---- {stage}\n{body}", composer.out);
    // Counts that a text does not use are left out: they would make pipelines of their own.
    let mut head = String::new();
    for (name, count) in &variant.counts {
        if text.contains(name) {
            let _ = writeln!(head, "const {name}: u32 = {count}u;");
        }
    }
    Ok(head + &text)
}

fn fragment(name: &str) -> Option<&'static str> {
    FRAGMENTS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

impl Composer<'_> {
    fn expand(&mut self, at: &str, lines: &[String]) -> Result<String, String> {
        let mut out = String::new();
        let mut next = 0;
        while next < lines.len() {
            let line = &lines[next];
            next += 1;
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["#import", name] => self.import(at, name)?,
                ["#insert", name, arguments @ ..] => {
                    let text = fragment(name).ok_or_else(|| unknown(at, name))?;
                    let lines = substitute(text, arguments).map_err(|e| format!("{at}: {e}"))?;
                    out.push_str(&self.expand(name, &lines)?);
                }
                ["#for", variable, count] => {
                    let (block, after) = block(at, lines, next)?;
                    next = after;
                    let count = self
                        .variant
                        .count(count)
                        .ok_or_else(|| unknown(at, count))?;
                    for i in 0..count {
                        let from = format!("${variable}");
                        let to = i.to_string();
                        let lines: Vec<String> =
                            block.iter().map(|line| line.replace(&from, &to)).collect();
                        out.push_str(&self.expand(at, &lines)?);
                    }
                }
                ["#if", flag] => {
                    let (block, after) = block(at, lines, next)?;
                    next = after;
                    let (then, other) = split_else(&block);
                    let side = if self.variant.has(flag) { then } else { other };
                    out.push_str(&self.expand(at, side)?);
                }
                ["#bind", access, name, ty @ ..] => out.push_str(&self.bind(access, name, ty)),
                ["#packed", name] => {
                    let ty = match self.variant.has(HALF) {
                        true => "array<vec2<u32>>",
                        false => "array<vec4<f32>>",
                    };
                    out.push_str(&self.bind("read", name, &[ty]));
                    let text = fragment("packed_reads").ok_or_else(|| unknown(at, name))?;
                    let of = format!("of={name}");
                    let lines = substitute(text, &[&of]).map_err(|e| format!("{at}: {e}"))?;
                    out.push_str(&self.expand(at, &lines)?);
                }
                [first, ..] if first.starts_with('#') => {
                    return Err(format!("{at}: cannot read the line `{line}`"));
                }
                _ => {
                    out.push_str(line);
                    out.push('\n');
                }
            }
        }
        Ok(out)
    }

    fn import(&mut self, at: &str, name: &str) -> Result<(), String> {
        if !self.seen.insert(name.to_owned()) {
            return Ok(());
        }
        let text = if name == "loss" {
            // Losses without a margin map or θ leave these functions out.
            for (function, fragment, flag) in DEFAULTS {
                let on = flag.is_none_or(|flag| self.variant.has(flag));
                if on && !self.loss.contains(function) {
                    self.import(at, fragment)?;
                }
            }
            self.loss.to_owned()
        } else {
            fragment(name).ok_or_else(|| unknown(at, name))?.to_owned()
        };
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let body = self.expand(name, &lines)?;
        let _ = write!(self.out, "// ---- {name}\n{body}\n");
        Ok(())
    }

    fn bind(&mut self, access: &str, name: &str, ty: &[&str]) -> String {
        let access = if access == "read" {
            "read"
        } else {
            "read_write"
        };
        let binding = self.bindings;
        self.bindings += 1;
        let ty = ty.join(" ");
        format!("@group(0) @binding({binding}) var<storage, {access}> {name}: {ty};\n")
    }
}

fn unknown(at: &str, name: &str) -> String {
    format!("{at}: unknown name `{name}`")
}

fn substitute(text: &str, arguments: &[&str]) -> Result<Vec<String>, String> {
    let mut text = text.to_owned();
    for argument in arguments {
        let (key, value) = argument
            .split_once('=')
            .ok_or_else(|| format!("`{argument}` is not key=value"))?;
        text = text.replace(&format!("${key}"), value);
    }
    Ok(text.lines().map(str::to_owned).collect())
}

/// The lines up to the matching `#end`, and the number of the line after it.
fn block(at: &str, lines: &[String], begin: usize) -> Result<(Vec<String>, usize), String> {
    let mut depth = 1;
    for (offset, line) in lines[begin..].iter().enumerate() {
        match line.split_whitespace().next() {
            Some("#for" | "#if") => depth += 1,
            Some("#end") => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok((lines[begin..begin + offset].to_vec(), begin + offset + 1));
        }
    }
    Err(format!("{at}: a block has no #end"))
}

fn split_else(block: &[String]) -> (&[String], &[String]) {
    let mut depth = 0;
    for (at, line) in block.iter().enumerate() {
        match line.split_whitespace().next() {
            Some("#for" | "#if") => depth += 1,
            Some("#end") => depth -= 1,
            Some("#else") if depth == 0 => return (&block[..at], &block[at + 1..]),
            _ => {}
        }
    }
    (block, &[])
}

/// Names and access of the storage bindings of a composed text, in binding order.
#[must_use]
pub fn bindings(text: &str) -> Vec<(String, bool)> {
    text.lines()
        .filter_map(|line| {
            let rest = line.split_once("var<storage, ")?.1;
            let (access, rest) = rest.split_once("> ")?;
            Some((rest.split_once(':')?.0.to_owned(), access == "read_write"))
        })
        .collect()
}
