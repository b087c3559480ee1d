//! Reading the compiler's assembly.

use std::{collections::BTreeMap, ops::RangeInclusive};

/// Instructions that stand in no pipe of their own: waits and hints.
const HINTS: [&str; 4] = ["s_waitcnt", "s_delay", "s_clause", "s_nop"];
/// What multiplies and adds.
const FMAS: [&str; 5] = ["v_fma", "v_fmac", "v_pk_fma", "v_dot2", "v_dual_fmac"];

/// What a basic block is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Block {
    /// Multiply-adds.
    pub fmas: usize,
    /// Instructions without waits and hints. One that does two multiply-adds counts twice.
    pub instructions: usize,
}

impl Block {
    /// Share of multiply-adds.
    pub fn share(self) -> f64 {
        match self.instructions {
            0 => 0.0,
            instructions => self.fmas as f64 / instructions as f64,
        }
    }

    fn add(&mut self, instruction: &str) {
        let name = instruction.split_whitespace().next().unwrap_or_default();
        if HINTS.iter().any(|hint| name.starts_with(hint)) {
            return;
        }
        let dual = name.starts_with("v_dual_");
        let halves = if dual { 2 } else { 1 };
        self.instructions += halves;
        if dual {
            self.fmas += instruction.matches("v_dual_fmac").count();
        } else if FMAS.iter().any(|fma| name.starts_with(fma)) {
            self.fmas += 1;
        }
    }
}

/// Of the blocks in innermost loops the one with the most multiply-adds; of all, without a loop.
pub fn hot_block(assembly: &str) -> Block {
    let (blocks, loops) = parse(assembly);
    let innermost = |one: &RangeInclusive<usize>| {
        let within = |other: &RangeInclusive<usize>| {
            other != one && one.start() <= other.start() && other.end() <= one.end()
        };
        !loops.iter().any(within)
    };
    let innermost: Vec<_> = loops.iter().filter(|one| innermost(one)).collect();
    let hot = |at: usize| innermost.is_empty() || innermost.iter().any(|one| one.contains(&at));
    let hot = (blocks.iter().enumerate()).filter(|(at, _)| hot(*at));
    hot.map(|(_, block)| *block)
        .max_by_key(|block| block.fmas)
        .unwrap_or_default()
}

/// Basic blocks, and from which to which of them a branch back goes.
fn parse(assembly: &str) -> (Vec<Block>, Vec<RangeInclusive<usize>>) {
    let (mut blocks, mut loops) = (vec![Block::default()], Vec::new());
    let mut labels = BTreeMap::new();
    for line in assembly.lines().map(str::trim) {
        if line.starts_with("BB") {
            blocks.push(Block::default());
            labels.insert(line.trim_end_matches(':').to_owned(), blocks.len() - 1);
            continue;
        }
        let mut words = line.split_whitespace();
        let branch = words.next().is_some_and(|name| name.contains("branch"));
        let target = words.next().filter(|_| branch);
        let here = blocks.len() - 1;
        if let Some(begin) = target.and_then(|label| labels.get(label)) {
            loops.push(*begin..=here);
        }
        if !line.is_empty() {
            blocks[here].add(line);
        }
    }
    (blocks, loops)
}
