//! Supervised contrastive loss, NT-Xent, Multi-Similarity, Proxy-Anchor, and batches made of labels.

use crate::{
    Rows, close, cosine, devices_agree, flat, log_sum_exp, matrix, narrow, refusal, rows, slopes,
    softplus, summed,
};
use wgloss::{
    ABSENT, Batch, DynLoss, Error, Lonely, Matrix, Positives, ProxyPairs, SamplePairs, Want, cpu,
    loss::{MultiSimilarity, NtXent, ProxyAnchor, SupCon},
};

/// Labels with three samples, two, and one; two are alone.
const LABELS: [u32; 9] = [4, 7, 4, 4, 9, 7, 1, 4, 4];

fn same(labels: &[u32], of: usize) -> Vec<usize> {
    let others = (0..labels.len()).filter(|other| *other != of && labels[*other] == labels[of]);
    others.collect()
}

fn different(labels: &[u32], of: usize) -> Vec<usize> {
    let others = (0..labels.len()).filter(|other| labels[*other] != labels[of]);
    others.collect()
}

/// Compares with a formula of the samples' table.
fn agrees(loss: &dyn DynLoss, pairs: &SamplePairs, samples: &Rows, formula: impl Fn(&Rows) -> f64) {
    let table = flat(samples);
    let batch = pairs.batch(matrix("samples", &table)).expect("a batch");
    let output = cpu::evaluate::<f64>(loss, &batch, Want::BOTH).expect("it evaluates");
    let what = format!("{loss:?}");
    // Weights of pairs are f32.
    close(&what, &[output.value], &[formula(samples)], 2e-7);
    let gradient = summed(output.grad_queries, output.grad_candidates);
    close(&what, &gradient, &slopes(samples, formula), 4e-7);
    let narrow = narrow(samples);
    let narrow = Matrix::new("samples", &narrow[..], 3).expect("rows of three");
    devices_agree(loss, &pairs.batch(narrow).expect("a batch"));
}

/// ℓ of a sample, `None` for one that is alone.
fn sup_con(samples: &Rows, labels: &[u32], of: usize, tau: f64) -> Option<f64> {
    let score = |other: &usize| cosine(samples[of], samples[*other]) / tau;
    let positives = same(labels, of);
    let all = (0..labels.len()).filter(|other| *other != of);
    let total = log_sum_exp(all.map(|other| score(&other)));
    let sum: f64 = positives.iter().map(|p| total - score(p)).sum();
    (!positives.is_empty()).then(|| sum / positives.len() as f64)
}

#[test]
fn sup_con_is_its_formula() {
    let samples = rows(LABELS.len(), 1);
    let loss = SupCon { tau: 0.25 };
    let each = |samples: &Rows| -> Vec<f64> {
        let of = |of| sup_con(samples, &LABELS, of, loss.tau);
        (0..LABELS.len()).filter_map(of).collect()
    };
    assert_eq!(each(&samples).len(), 7, "two are alone");
    let pairs = SamplePairs::sup_con(&LABELS).expect("pairs");
    let official = |samples: &Rows| each(samples).iter().sum::<f64>() / LABELS.len() as f64;
    agrees(&loss, &pairs, &samples, official);
    let pairs = SamplePairs::sup_con_with(&LABELS, Lonely::LeftOut).expect("pairs");
    let left_out = |samples: &Rows| each(samples).iter().sum::<f64>() / 7.0;
    agrees(&loss, &pairs, &samples, left_out);
}

#[test]
fn nt_xent_is_its_formula() {
    let samples = rows(LABELS.len(), 2);
    let loss = NtXent { tau: 0.25 };
    let formula = |samples: &Rows| {
        let (mut sum, mut pairs) = (0.0, 0);
        for of in 0..LABELS.len() {
            let score = |other: usize| cosine(samples[of], samples[other]) / loss.tau;
            let negatives = || different(&LABELS, of).into_iter().map(score);
            for positive in same(&LABELS, of) {
                let own = score(positive);
                sum += log_sum_exp(negatives().chain([own])) - own;
                pairs += 1;
            }
        }
        sum / f64::from(pairs)
    };
    let pairs = SamplePairs::nt_xent(&LABELS).expect("pairs");
    agrees(&loss, &pairs, &samples, formula);
}

fn multi_similarity(loss: &MultiSimilarity, samples: &Rows, labels: &[u32]) -> f64 {
    let of = |of: usize| {
        let score = |other: usize| cosine(samples[of], samples[other]) - loss.threshold;
        let positives = same(labels, of).into_iter();
        let negatives = different(labels, of).into_iter();
        let positive: f64 = positives.map(|p| (-loss.alpha * score(p)).exp()).sum();
        let negative: f64 = negatives.map(|n| (loss.beta * score(n)).exp()).sum();
        positive.ln_1p() / loss.alpha + negative.ln_1p() / loss.beta
    };
    (0..labels.len()).map(of).sum::<f64>() / labels.len() as f64
}

#[test]
fn multi_similarity_is_its_formula() {
    let samples = rows(LABELS.len(), 3);
    let loss = MultiSimilarity {
        beta: 10.0,
        ..MultiSimilarity::default()
    };
    // All of one label: no row has a negative. All different: none has a positive.
    let one_label = [3; 9];
    let all_different = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    for labels in [LABELS, one_label, all_different] {
        let pairs = SamplePairs::multi_similarity(&labels).expect("pairs");
        let formula = |samples: &Rows| multi_similarity(&loss, samples, &labels);
        agrees(&loss, &pairs, &samples, formula);
    }
}

fn proxy_anchor(loss: &ProxyAnchor, proxies: &Rows, samples: &Rows, labels: &[u32]) -> f64 {
    let (mut positive, mut negative, mut present) = (0.0, 0.0, 0);
    for (class, proxy) in (0..).zip(proxies) {
        let (mut own, mut others, mut any) = (0.0, 0.0, false);
        for (sample, label) in samples.iter().zip(labels) {
            let score = cosine(*proxy, *sample);
            if *label == class {
                own += (-loss.alpha * (score - loss.margin)).exp();
                any = true;
            } else {
                others += (loss.alpha * (score + loss.margin)).exp();
            }
        }
        positive += own.ln_1p();
        negative += others.ln_1p();
        present += i32::from(any);
    }
    positive / f64::from(present) + negative / proxies.len() as f64
}

#[test]
fn proxy_anchor_is_its_formula() {
    let loss = ProxyAnchor {
        alpha: 8.0,
        ..ProxyAnchor::default()
    };
    let (proxies, samples) = (rows(5, 4), rows(7, 5));
    // Classes 1 and 4 have no samples; then all samples are of one class.
    for labels in [[0, 2, 2, 3, 0, 2, 2], [3; 7]] {
        let pairs = ProxyPairs::new(&labels, 5).expect("pairs");
        let [proxy_table, sample_table] = [flat(&proxies), flat(&samples)];
        let [p, s] = [
            matrix("proxies", &proxy_table),
            matrix("samples", &sample_table),
        ];
        let batch = pairs.batch(p, s).expect("a batch");
        let output = cpu::evaluate::<f64>(&loss, &batch, Want::BOTH).expect("it evaluates");
        let formula = proxy_anchor(&loss, &proxies, &samples, &labels);
        close("value", &[output.value], &[formula], 1e-12);
        let slopes_of = |proxies: &Rows| proxy_anchor(&loss, proxies, &samples, &labels);
        let gradient = output.grad_queries.expect("wanted");
        close(
            "grad of proxies",
            &gradient,
            &slopes(&proxies, slopes_of),
            1e-8,
        );
        let slopes_of = |samples: &Rows| proxy_anchor(&loss, &proxies, samples, &labels);
        let gradient = output.grad_candidates.expect("wanted");
        close(
            "grad of samples",
            &gradient,
            &slopes(&samples, slopes_of),
            1e-8,
        );
        let [proxies, samples] = [narrow(&proxies), narrow(&samples)];
        let proxies = Matrix::new("proxies", &proxies[..], 3).expect("rows of three");
        let samples = Matrix::new("samples", &samples[..], 3).expect("rows of three");
        devices_agree(&loss, &pairs.batch(proxies, samples).expect("a batch"));
    }
}

#[test]
fn labels_make_lists() {
    let pairs = SamplePairs::multi_similarity(&[5, 8, 5]).expect("pairs");
    assert_eq!(pairs.positives().ids, [2, ABSENT, 0]);
    assert_eq!(pairs.positives().offsets, [0, 1, 2, 3]);
    let pairs = SamplePairs::sup_con(&[5, 8, 5]).expect("pairs");
    assert_eq!(pairs.positives().offsets, [0, 1, 1, 2]);
    assert_eq!(pairs.weights(), Some(&[2.0 / 3.0; 2][..]));
    let pairs = ProxyPairs::new(&[2, 0, 2], 4).expect("pairs");
    assert_eq!(pairs.positives().ids, [1, ABSENT, 0, 2, ABSENT]);
    assert_eq!(pairs.positive_weights(), [2.0; 4]);
}

#[test]
fn a_batch_without_pairs_is_0() {
    let samples = flat(&rows(3, 6));
    for (loss, pairs) in [
        (
            &SupCon::default() as &dyn DynLoss,
            SamplePairs::sup_con(&[1, 2, 3]),
        ),
        (&NtXent::default(), SamplePairs::nt_xent(&[1, 2, 3])),
    ] {
        let pairs = pairs.expect("pairs");
        let batch = pairs.batch(matrix("samples", &samples)).expect("a batch");
        let output = cpu::evaluate::<f64>(loss, &batch, Want::BOTH).expect("it evaluates");
        assert_eq!(output.value, 0.0);
        assert!(
            output
                .grad_queries
                .expect("wanted")
                .iter()
                .all(|x| *x == 0.0)
        );
    }
}

#[test]
fn bad_labels_are_refused() {
    assert!(matches!(
        SamplePairs::sup_con(&[]),
        Err(Error::Shape {
            argument: "labels",
            ..
        })
    ));
    assert!(matches!(
        SamplePairs::nt_xent(&[1, u32::MAX]),
        Err(Error::Id { at: 1, .. })
    ));
    assert!(matches!(
        ProxyPairs::new(&[0, 4], 4),
        Err(Error::Id { at: 1, id: 4, .. })
    ));
    let table = flat(&rows(3, 6));
    let pairs = SamplePairs::nt_xent(&[1, 1]).expect("pairs");
    let error = pairs
        .batch(matrix("samples", &table))
        .expect_err("three samples");
    assert!(error.to_string().contains("samples"), "{error}");
    let pairs = ProxyPairs::new(&[0, 1], 3).expect("pairs");
    let two = flat(&rows(2, 6));
    let (two, three) = (matrix("t", &two), matrix("t", &table));
    for (proxies, samples, named) in [(two, two, "proxies"), (three, three, "samples")] {
        let error = pairs.batch(proxies, samples).expect_err("other sizes");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn unfit_batches_are_refused() {
    let table = flat(&rows(4, 7));
    let samples = matrix("samples", &table);
    let ids = [1, 0, 3, 2];
    let plain = || Batch::new(samples, samples, Positives::One(&ids)).expect("a batch");
    let own = || plain().exclude_self().expect("one table");
    let kept = || own().positives_in_columns().expect("all columns");
    let weights = [1.0; 4];
    for (loss, batch, reason) in [
        (&SupCon::default() as &dyn DynLoss, plain(), "exclude_self"),
        (&SupCon::default(), own(), "positives_in_columns"),
        (&NtXent::default(), plain(), "exclude_self"),
        (&NtXent::default(), kept(), "without positives_in_columns"),
        (&NtXent { tau: 0.0 }, own(), "tau"),
        (&SupCon { tau: f64::NAN }, kept(), "tau"),
        (&MultiSimilarity::default(), kept(), "positives_in_columns"),
        (
            &MultiSimilarity::default(),
            own().weights(&weights).expect("weights"),
            "weights",
        ),
        (
            &MultiSimilarity {
                threshold: f64::NAN,
                ..MultiSimilarity::default()
            },
            own(),
            "threshold",
        ),
        (&ProxyAnchor::default(), plain(), "row_parameters"),
        (
            &ProxyAnchor {
                alpha: -1.0,
                margin: 0.1,
            },
            plain(),
            "alpha",
        ),
    ] {
        let message = refusal(loss, &batch);
        assert!(message.contains(reason), "{loss:?}: {message}");
    }
}

/// The formulas of this file, at one point where they are known in closed form.
#[test]
fn the_formulas_are_right_where_all_samples_are_one() {
    let samples = vec![[1.0, 0.0, 0.0]; 9];
    let of = sup_con(&samples, &LABELS, 0, 0.1).expect("it has positives");
    assert!((of - 8f64.ln()).abs() < 1e-12, "{of}");
    let loss = MultiSimilarity {
        alpha: 1.0,
        beta: 1.0,
        threshold: 1.0,
    };
    let expected = LABELS.iter().enumerate().map(|(of, _)| {
        let counts = [same(&LABELS, of).len(), different(&LABELS, of).len()];
        counts
            .map(|n| softplus((n as f64).ln()))
            .iter()
            .sum::<f64>()
    });
    let expected = expected.sum::<f64>() / 9.0;
    let value = multi_similarity(&loss, &samples, &LABELS);
    assert!((value - expected).abs() < 1e-12, "{value}, not {expected}");
}
