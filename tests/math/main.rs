//! The elementary functions, in Rust and in WGSL, against `f64`.

mod cpu;
mod shader;

/// The largest error seen, and where.
struct Worst {
    ulps: f64,
    at: f32,
    count: usize,
}

impl Worst {
    fn new() -> Self {
        Self {
            ulps: 0.0,
            at: f32::NAN,
            count: 0,
        }
    }

    /// Takes one result into account. Exact values beyond the normal `f32` numbers are left out;
    /// where they vanish, the result must too.
    fn record(&mut self, x: f32, actual: f32, exact: f64) {
        if exact.abs() > f64::from(f32::MAX) {
            return;
        }
        let tiny = f64::from(f32::MIN_POSITIVE);
        let error = (f64::from(actual) - exact).abs();
        let ulps = if exact.abs() < tiny {
            // A device may flush to zero anything below, or just at, the smallest normal number.
            if error <= 1.01 * tiny {
                0.0
            } else {
                f64::INFINITY
            }
        } else {
            error / ulp(exact)
        };
        self.count += 1;
        // A comparison would pass over NaN.
        let ulps = if ulps.is_nan() { f64::INFINITY } else { ulps };
        if ulps > self.ulps {
            self.ulps = ulps;
            self.at = x;
        }
    }

    /// Prints the error and checks it against the bound.
    fn check(&self, name: &str, bound: f64) {
        let Self { ulps, at, count } = self;
        println!("{name:18} {ulps:6.3} ulp at {at:e} (bound {bound}, {count} arguments)");
        assert!(*count > 1000, "{name}: only {count} arguments");
        assert!(
            *ulps <= bound,
            "{name}: {ulps} ulp at {at:e}, the bound is {bound}"
        );
    }
}

/// The distance between neighbouring `f32` numbers around a normal `value`.
fn ulp(value: f64) -> f64 {
    let exponent = ((value.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    2f64.powi(exponent - 23)
}

/// Every `stride`-th `f32` between `low` and `high`, by representation: every magnitude from 1e-37
/// on gets its share. Starts with the two bounds themselves, and 0 where it lies between.
fn sweep(low: f32, high: f32, stride: usize) -> impl Iterator<Item = f32> {
    const FROM: f32 = 1e-37;
    let span =
        |from: f32, to: f32| (from.max(FROM).to_bits()..=to.max(0.0).to_bits()).step_by(stride);
    let positive = span(low, high).map(f32::from_bits);
    let negative = span(-high, -low).map(|bits| -f32::from_bits(bits));
    let inside = move |x: &f32| (low..=high).contains(x);
    [low, high, 0.0]
        .into_iter()
        .chain(positive)
        .chain(negative)
        .filter(inside)
}

/// Angles over many turns, those next to quarter turns among them.
fn angles() -> impl Iterator<Item = f32> {
    let quarters = (-40..=40).flat_map(|k| {
        let near = k as f32 * std::f32::consts::FRAC_PI_2;
        [near.next_down(), near, near.next_up()]
    });
    (-64_000..=64_000).map(|i| i as f32 * 1e-3).chain(quarters)
}

/// A function of one argument and the range it is tested on.
struct Case {
    name: &'static str,
    low: f32,
    high: f32,
    exact: fn(f64) -> f64,
}

const fn case(name: &'static str, low: f32, high: f32, exact: fn(f64) -> f64) -> Case {
    Case {
        name,
        low,
        high,
        exact,
    }
}

/// `f64` forms written independently of the crate's.
mod exact {
    pub fn softplus(x: f64) -> f64 {
        if x > 0.0 {
            x + (-x).exp().ln_1p()
        } else {
            x.exp().ln_1p()
        }
    }

    pub fn log_sigmoid(x: f64) -> f64 {
        -softplus(-x)
    }

    pub fn sigmoid(x: f64) -> f64 {
        if x > 0.0 {
            1.0 / (1.0 + (-x).exp())
        } else {
            x.exp() / (1.0 + x.exp())
        }
    }
}
