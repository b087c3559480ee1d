//! Reading the compiler's assembly.

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

/// The basic block with the most multiply-adds: the body of the innermost loop.
pub fn hot_block(assembly: &str) -> Block {
    let (mut best, mut current) = (Block::default(), Block::default());
    for line in assembly.lines().map(str::trim) {
        if line.is_empty() || line.starts_with("BB") {
            current = Block::default();
            continue;
        }
        current.add(line);
        if current.fmas >= best.fmas {
            best = current;
        }
    }
    best
}
