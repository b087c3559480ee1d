//! Handwritten digits in the part of faces: seven to learn from, three that are never seen.

/// 1,797 images; `../digits/README.md` says whose, and under which licence.
const DIGITS: &[u8] = include_bytes!("../digits/digits.bin");

/// Pixels of an image, 8 × 8.
pub const PIXELS: usize = 64;

/// Digits below are trained on, the others verified.
pub const TRAINED: u32 = 7;

/// Images of some digits: PIXELS numbers in 0 to 1 each, and the digit of each.
pub struct Images {
    pub pixels: Vec<f32>,
    pub labels: Vec<u32>,
}

impl Images {
    /// The images whose digit is wanted.
    pub fn of(wanted: impl Fn(u32) -> bool) -> Images {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for image in DIGITS.chunks_exact(1 + PIXELS) {
            let label = u32::from(image[0]);
            if wanted(label) {
                labels.push(label);
                pixels.extend(image[1..].iter().map(|ink| f32::from(*ink) / 16.0));
            }
        }
        Images { pixels, labels }
    }

    /// All but every fifth image, to train on, and every fifth.
    pub fn every_fifth_apart(self) -> (Images, Images) {
        let places = 0..self.labels.len();
        let (fifths, others): (Vec<usize>, _) = places.partition(|place| place % 5 == 0);
        (self.at(&others), self.at(&fifths))
    }

    /// The images at these places.
    pub fn at(&self, places: &[usize]) -> Images {
        let rows = places.iter();
        let rows = rows.flat_map(|place| &self.pixels[place * PIXELS..][..PIXELS]);
        Images {
            pixels: rows.copied().collect(),
            labels: places.iter().map(|place| self.labels[*place]).collect(),
        }
    }
}
