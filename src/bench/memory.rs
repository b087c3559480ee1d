//! What this process holds, as the operating system counts it.

use std::fs;

/// Where Linux tells of this process, and takes the order to count the most held anew.
const STATUS: &str = "/proc/self/status";
const CLEAR: &str = "/proc/self/clear_refs";
/// The order.
const PEAK: &str = "5";

/// Runs `work`; its result, and the most bytes in memory at a time beyond those before. `None` where
/// the system does not count that; Linux does. What the process freed before without giving it back
/// is not seen when it is used again, so only the first such work of a process is told in full.
pub fn resident<T>(work: impl FnOnce() -> T) -> (T, Option<u64>) {
    let before = fs::write(CLEAR, PEAK).ok().and_then(|()| field("VmRSS:"));
    let result = work();
    let most = before.and_then(|before| Some(field("VmHWM:")?.saturating_sub(before)));
    (result, most)
}

/// A field of the status, bytes.
fn field(name: &str) -> Option<u64> {
    let status = fs::read_to_string(STATUS).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_written_is_held() {
        const BYTES: usize = 100 << 20;
        let (_, most) = resident(|| std::hint::black_box(vec![1_u8; BYTES]));
        // Tests beside this one hold something as well.
        let most = most.expect("Linux counts");
        assert!(most >= BYTES as u64 - (1 << 20), "{most}");
    }
}
