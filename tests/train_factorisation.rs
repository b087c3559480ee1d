//! The parts together: matrix factorisation by pairwise logistic loss (BPR), written out plainly,
//! has to find the planted tastes.
#![cfg(feature = "train")]

use wgloss::train::init::{Table, normal};
use wgloss::train::rank::{top_k, top_popular};
use wgloss::train::{
    Adam, AdamOptions, Average, Interactions, Planted, Sampler, metrics, sampler::BatchRows, split,
};

const DIM: usize = 16;

/// Adds the gradient of Σ log(1 + exp(q·c⁻ − q·c⁺)) over a batch, one negative a row.
fn accumulate(
    batch: BatchRows<'_>,
    negatives: impl Iterator<Item = usize>,
    tables: (&[f32], &[f32]),
    gradients: (&mut [f32], &mut [f32]),
) {
    let place = |id: usize| id * DIM..(id + 1) * DIM;
    let rows = batch.rows.iter().zip(batch.positives).zip(negatives);
    for ((&user, &positive), negative) in rows {
        let user = place(user as usize);
        let (positive, negative) = (place(positive as usize), place(negative));
        let query = &tables.0[user.clone()];
        let (good, bad) = (&tables.1[positive.clone()], &tables.1[negative.clone()]);
        let gaps = query.iter().zip(bad.iter().zip(good));
        let gap: f32 = gaps.map(|(q, (b, g))| q * (b - g)).sum();
        let weight = 1.0 / (1.0 + (-gap).exp());
        for k in 0..DIM {
            gradients.0[user.start + k] += weight * (bad[k] - good[k]);
            gradients.1[negative.start + k] += weight * query[k];
            gradients.1[positive.start + k] -= weight * query[k];
        }
    }
}

fn train(data: &Interactions, epochs: u64) -> (Vec<f32>, Vec<f32>) {
    let mut queries = normal(data.users(), DIM, 0.1, 1, Table::Queries);
    let mut candidates = normal(data.items(), DIM, 0.1, 1, Table::Candidates);
    let options = AdamOptions {
        learning_rate: 0.005,
        ..AdamOptions::default()
    };
    let mut optimisers = [queries.len(), candidates.len()].map(|n| Adam::new(n, options).unwrap());
    let sampler = Sampler::new(data.pairs().collect(), 256, 1).unwrap();
    for epoch in 0..epochs {
        let order = sampler.epoch(epoch);
        // Uniform negatives from a plain congruential generator.
        let mut state = epoch;
        let mut negative = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % data.items()
        };
        for batch in order.batches() {
            let mut gradients = (vec![0.0; queries.len()], vec![0.0; candidates.len()]);
            accumulate(
                batch,
                std::iter::repeat_with(&mut negative),
                (&queries, &candidates),
                (&mut gradients.0, &mut gradients.1),
            );
            optimisers[0].step(&mut queries, &gradients.0).unwrap();
            optimisers[1].step(&mut candidates, &gradients.1).unwrap();
        }
    }
    (queries, candidates)
}

#[test]
fn factorisation_beats_popularity_on_planted_data() {
    let planted = Planted {
        users: 2000,
        items: 1000,
        interactions: 80_000,
        clusters: 20,
        seed: 2,
    };
    let data = planted.generate().unwrap();
    let split = split::validation(&data.train, 0).unwrap();
    let (queries, candidates) = train(&split.train, 10);
    let ndcg = |lists| {
        let found = metrics::evaluate(&lists, &data.test, &[20], Average::default());
        found.unwrap().at[0].ndcg
    };
    let popular = ndcg(top_popular(&split.train, 20));
    let lists = top_k(&queries, &candidates, DIM, 20, Some(&split.train));
    let model = ndcg(lists.unwrap());
    println!("NDCG@20: popularity {popular:.4}, factorisation {model:.4}");
    assert!(model > 1.5 * popular, "{model} against {popular}");
}
