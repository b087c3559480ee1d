//! `--size BxNxD`.

use std::{fmt, str::FromStr};

/// Rows, candidates, width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size(pub [usize; 3]);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split(['x', '×']).map(str::parse);
        let numbers: Option<Vec<usize>> = numbers.map(Result::ok).collect();
        match numbers.as_deref() {
            Some([b, n, d]) if *b > 0 && *n > 0 && *d > 0 => Ok(Size([*b, *n, *d])),
            _ => Err("expected three whole numbers from 1, as in 1024x16384x64".into()),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [b, n, d] = self.0;
        f.pad(&format!("{b}x{n}x{d}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_three_numbers() {
        assert_eq!("3x40×5".parse(), Ok(Size([3, 40, 5])));
        assert_eq!(Size([3, 40, 5]).to_string(), "3x40x5");
        for wrong in ["", "3x4", "3x4x5x6", "3x0x5", "ax4x5", "-1x4x5"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }
}
