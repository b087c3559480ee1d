//! Thresholds before training, and where losses with a threshold are refused.

use crate::{close, engine, flat, log_sum_exp, matrix, narrow, refusal, rows};
use wgloss::{
    Batch, Columns, Device, DynLoss, IGNORED, Lists, Matrix, Positives, Want, cpu,
    loss::{Circle, S2sBce, S2sNaive, SphereFace2, SphereFace2Kind, Uce, UceForm, Uss},
};

/// ∂value/∂b for one row with a positive at cosine 1 and the other classes at −1, or at 0 all.
fn slope_by_bias(loss: &dyn DynLoss, separated: bool, classes: usize, bias: f64) -> f64 {
    let query = match separated {
        true => [1.0, 0.0, 0.0],
        false => [0.0, 1.0, 0.0],
    };
    let mut table = vec![1.0, 0.0, 0.0];
    for _ in 1..classes {
        table.extend([-1.0, 0.0, 0.0]);
    }
    let theta = [bias];
    let (query, table) = (matrix("queries", &query), matrix("candidates", &table));
    let batch = Batch::new(query, table, Positives::One(&[0])).expect("a batch");
    let batch = batch.theta(&theta).expect("a scalar");
    let output = cpu::evaluate::<f64>(loss, &batch, Want::NOTHING).expect("it evaluates");
    output.grad_theta[0]
}

#[test]
fn stationary_thresholds_have_no_slope() {
    for (scale, classes) in [(4.0, 5), (16.0, 40), (64.0, 3)] {
        let uss = Uss {
            scale,
            margin: 0.0,
            clamp: false,
        };
        let bias = uss.stationary_bias(classes).expect("classes");
        assert!(slope_by_bias(&uss, true, classes, bias).abs() < 1e-12);
    }
    for kind in [SphereFace2Kind::C, SphereFace2Kind::A, SphereFace2Kind::M] {
        for classes in [2, 3, 50] {
            let loss = SphereFace2::new(kind);
            let bias = loss.initial_bias(classes).expect("classes");
            let slope = slope_by_bias(&loss, false, classes, bias);
            assert!(slope.abs() < 1e-12, "{loss:?}, {classes}: {slope}");
        }
    }
    let tail = 10.0 * 10_572.0;
    assert_eq!(
        Uce::initial_bias(10_572, 1.0).expect("classes"),
        f64::ln(tail)
    );
    assert_eq!(
        Uce::initial_bias(10_572, 0.5).expect("classes"),
        f64::ln(0.5 * tail)
    );
}

#[test]
fn a_threshold_begins_at_the_mean_log_sum() {
    let (queries, candidates) = (rows(4, 31), rows(6, 32));
    let [q, c] = [narrow(&queries), narrow(&candidates)];
    let table = |numbers| Matrix::new("table", numbers, 3).expect("rows of three");
    let ids = [2, IGNORED, 0, 5];
    // The last row has no column.
    let (offsets, excluded) = ([0, 1, 1, 1, 7], [1, 0, 1, 2, 3, 4, 5]);
    let lists = Lists {
        offsets: &offsets,
        ids: &excluded,
    };
    let thresholds = [0.5; 6];
    let batch = Batch::new(table(&q[..]), table(&c[..]), Positives::One(&ids));
    let batch = batch
        .expect("a batch")
        .exclude(wgloss::Exclude::ByRow(lists));
    let batch = batch.expect("lists").column_parameters(&thresholds);
    let batch = batch.expect("thresholds");
    let row = |row: usize, columns: &[usize]| {
        let score = |j: &usize| 16.0 * crate::cosine(queries[row], candidates[*j]);
        log_sum_exp(columns.iter().map(score))
    };
    let expected = 0.5 * (row(0, &[0, 3, 4, 5]) + row(2, &[1, 2, 3, 4, 5]));
    for device in [Device::Reference, Device::Cpu, Device::Gpu] {
        let engine = engine(device);
        let uss = Uss {
            scale: 16.0,
            ..Uss::default()
        };
        let bce = S2sBce {
            scale: 16.0,
            ..S2sBce::default()
        };
        let biases = [
            uss.initial_bias(&engine, &batch),
            bce.initial_threshold(&engine, &batch),
        ];
        let biases = biases.map(|bias| bias.unwrap_or_else(|error| panic!("{error}")));
        close("bias", &biases, &[expected; 2], 2e-6);
    }
}

#[test]
fn bad_parameters_are_refused() {
    let table = flat(&rows(3, 33));
    let table = matrix("table", &table);
    let theta = [1.0];
    let plain = || Batch::new(table, table, Positives::One(&[0, 1, 2])).expect("a batch");
    let with = || plain().theta(&theta).expect("a scalar");
    let uce = Uce::default();
    let sphere = SphereFace2::default();
    let nan = f64::NAN;
    let cases: Vec<(Box<dyn DynLoss>, Batch<'_>, &str)> = vec![
        (
            Box::new(Uss {
                scale: 0.0,
                ..Uss::default()
            }),
            with(),
            "scale",
        ),
        (
            Box::new(Uss {
                margin: nan,
                ..Uss::default()
            }),
            with(),
            "margin",
        ),
        (Box::new(uce.clone()), plain(), "theta"),
        (
            Box::new(Uce {
                neg_weight: 0.0,
                ..uce.clone()
            }),
            with(),
            "neg_weight",
        ),
        (
            Box::new(Uce {
                margin: 0.0,
                form: UceForm::Exponential,
                ..uce.clone()
            }),
            with(),
            "margin",
        ),
        (
            Box::new(Uce {
                margin: f64::INFINITY,
                ..uce
            }),
            with(),
            "margin",
        ),
        (Box::new(S2sNaive { scale: nan }), plain(), "scale"),
        (Box::new(S2sBce::default()), plain(), "column_parameters"),
        (
            Box::new(SphereFace2 {
                lambda: 1.0,
                ..sphere.clone()
            }),
            with(),
            "lambda",
        ),
        (
            Box::new(SphereFace2 {
                t: 0.5,
                ..sphere.clone()
            }),
            with(),
            "`t`",
        ),
        (
            Box::new(SphereFace2 {
                margin: 0.5,
                kind: SphereFace2Kind::M,
                ..sphere.clone()
            }),
            with(),
            "margin",
        ),
        (
            Box::new(SphereFace2 {
                loss_weight: -1.0,
                ..sphere
            }),
            with(),
            "loss_weight",
        ),
        (
            Box::new(Circle {
                margin: nan,
                ..Circle::default()
            }),
            plain(),
            "margin",
        ),
        (
            Box::new(Circle {
                scale: -1.0,
                ..Circle::default()
            }),
            plain(),
            "scale",
        ),
    ];
    for (loss, batch, reason) in cases {
        let message = refusal(&*loss, &batch);
        assert!(
            message.contains(reason.trim_matches('`')),
            "{loss:?}: {message}"
        );
    }
    let engine = engine(Device::Cpu);
    let all = [0, 1, 2];
    let empty = plain()
        .columns(Columns::Shared(&all[..1]))
        .expect("a column");
    let empty = empty.exclude(wgloss::Exclude::ByRow(Lists {
        offsets: &[0, 1, 2, 3],
        ids: &[0, 0, 0],
    }));
    let error = Uss::default().initial_bias(&engine, &empty.expect("lists"));
    assert!(
        error
            .expect_err("no column")
            .to_string()
            .contains("threshold")
    );
    assert!(Uss::default().stationary_bias(1).is_err());
    assert!(Uce::initial_bias(0, 1.0).is_err() && Uce::initial_bias(9, 0.0).is_err());
    assert!(SphereFace2::default().initial_bias(1).is_err());
}
