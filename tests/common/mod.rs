//! What several tests share: comparing numbers, and batches that own their data.

mod case;
mod close;

pub use case::{Case, Choice, Places, Random};
pub use close::{assert_close, compare};
