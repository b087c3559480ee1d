//! The optimiser against a scalar f64 reference.
#![cfg(feature = "train")]

use wgloss::train::{Adam, AdamOptions};

/// Adam as its paper writes it, with L2 in the gradient, on one parameter.
struct Reference {
    options: AdamOptions,
    parameter: f64,
    mean: f64,
    square: f64,
}

impl Reference {
    fn step(&mut self, gradient: f64, t: i32) {
        let o = self.options;
        let gradient = gradient + o.weight_decay * self.parameter;
        self.mean = o.beta1 * self.mean + (1.0 - o.beta1) * gradient;
        self.square = o.beta2 * self.square + (1.0 - o.beta2) * gradient * gradient;
        let mean = self.mean / (1.0 - o.beta1.powi(t));
        let square = self.square / (1.0 - o.beta2.powi(t));
        self.parameter -= o.learning_rate * mean / (square.sqrt() + o.epsilon);
    }
}

/// A gradient that varies in size over 8 decades, changes sign, and is 0 now and then.
fn gradient(at: usize, step: usize) -> f32 {
    if (at + step).is_multiple_of(5) {
        return 0.0;
    }
    let phase = (at * 7 + step * 3) as f32;
    phase.sin() * 10f32.powi((at % 9) as i32 - 6)
}

fn run(len: usize, steps: usize, options: AdamOptions) -> (Vec<f32>, Adam) {
    let mut parameters: Vec<f32> = (0..len).map(|i| (i as f32 * 0.3).cos()).collect();
    let mut adam = Adam::new(len, options).unwrap();
    for step in 0..steps {
        let gradients: Vec<f32> = (0..len).map(|i| gradient(i, step)).collect();
        adam.step(&mut parameters, &gradients).unwrap();
    }
    (parameters, adam)
}

#[test]
fn steps_follow_the_f64_reference() {
    let decayed = AdamOptions {
        learning_rate: 0.01,
        weight_decay: 1e-3,
        ..AdamOptions::default()
    };
    let odd = AdamOptions {
        beta1: 0.0,
        beta2: 0.5,
        epsilon: 1e-3,
        ..decayed
    };
    for options in [AdamOptions::default(), decayed, odd] {
        for steps in [1, 2, 100] {
            let (parameters, adam) = run(103, steps, options);
            assert_eq!(adam.steps(), steps as u64);
            for (at, &parameter) in parameters.iter().enumerate() {
                let mut reference = Reference {
                    options,
                    parameter: f64::from((at as f32 * 0.3).cos()),
                    mean: 0.0,
                    square: 0.0,
                };
                for step in 0..steps {
                    reference.step(gradient(at, step).into(), step as i32 + 1);
                }
                // A step moves by about the learning rate, and rounds a few times at 6e-8.
                let bound = 1e-6 * (1.0 + options.learning_rate * steps as f64);
                let error = (f64::from(parameter) - reference.parameter).abs();
                assert!(error < bound, "{options:?} {steps} {at}: {error}");
            }
        }
    }
}

#[test]
fn a_first_step_moves_by_the_learning_rate() {
    let mut adam = Adam::new(2, AdamOptions::default()).unwrap();
    let mut parameters = [1.0, 1.0];
    adam.step(&mut parameters, &[1e-3, -50.0]).unwrap();
    assert!((parameters[0] - 0.9).abs() < 1e-5 && (parameters[1] - 1.1).abs() < 1e-5);
    // Dense: no gradient, but momentum.
    adam.step(&mut parameters, &[0.0, 0.0]).unwrap();
    assert!(parameters[0] < 0.85 && parameters[1] > 1.15);
}

#[test]
fn resuming_and_threads_do_not_change_the_bits() {
    let options = AdamOptions::default();
    let len = 50_000;
    let (expected, straight) = run(len, 6, options);
    let (mut parameters, half) = run(len, 3, options);
    let (mean, square) = half.moments();
    let mut resumed = Adam::resume(options, half.steps(), mean.to_vec(), square.to_vec()).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build();
    pool.unwrap().install(|| {
        for step in 3..6 {
            let gradients: Vec<f32> = (0..len).map(|i| gradient(i, step)).collect();
            resumed.step(&mut parameters, &gradients).unwrap();
        }
    });
    assert_eq!(parameters, expected);
    assert_eq!(resumed, straight);
}

#[test]
fn bad_arguments_are_errors_and_change_nothing() {
    let mut adam = Adam::new(2, AdamOptions::default()).unwrap();
    let before = adam.clone();
    let error = adam.step(&mut [0.0; 3], &[0.0; 2]).unwrap_err();
    assert_eq!(error.to_string(), "parameters: expected 2 values, got 3");
    assert!(adam.step(&mut [0.0; 2], &[0.0; 1]).is_err());
    assert!(adam.set_learning_rate(f64::NAN).is_err());
    assert!(adam.set_learning_rate(-0.1).is_err());
    assert_eq!(adam, before);
    adam.set_learning_rate(0.5).unwrap();
    assert_eq!(adam.options().learning_rate, 0.5);

    let default = AdamOptions::default();
    for options in [
        AdamOptions {
            beta1: 1.0,
            ..default
        },
        AdamOptions {
            beta2: -0.1,
            ..default
        },
        AdamOptions {
            epsilon: 0.0,
            ..default
        },
        AdamOptions {
            weight_decay: f64::INFINITY,
            ..default
        },
    ] {
        let error = Adam::new(1, options).unwrap_err().to_string();
        assert!(error.starts_with("adam: "), "{error}");
    }
    assert!(Adam::resume(default, 1, vec![0.0; 2], vec![0.0; 3]).is_err());
}
