// Counts of things that are wrong or worth knowing, read with the loss.
const BAD_IDS: u32 = 0u;
const NOT_FINITE: u32 = 1u;
const ZERO_QUERIES: u32 = 2u;
const ZERO_CANDIDATES: u32 = 3u;
const DEAD_PAIRS: u32 = 4u;
const IGNORED_PAIRS: u32 = 5u;
