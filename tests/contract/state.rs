//! Row parameters that an evaluation renews, ranks, reference models, K-th largest scores: on the
//! device as in the reference, and as their definitions say.

use super::{
    GPU,
    numbers::{ids, numbers, wide},
    state_losses::{Ranked, Referenced, Remembering, Squared},
};
use wgloss::{
    Batch, Columns, Device, DynLoss, Engine, EngineOptions, Exclude, IGNORED, Kth, Lists, Matrix,
    Positives, Want,
    check::judge,
    cpu,
    loss::{Score, Sl},
};

const DIM: usize = 9;
const QUERIES: usize = 11;
const CANDIDATES: usize = 530;
const ROWS: usize = 24;

struct Tables {
    queries: Vec<f32>,
    candidates: Vec<f32>,
    rows: Vec<u32>,
    positives: Vec<u32>,
    sampled: Vec<u32>,
}

impl Tables {
    fn new() -> Self {
        Tables {
            queries: numbers(QUERIES * DIM, 1),
            candidates: numbers(CANDIDATES * DIM, 2),
            rows: ids(ROWS, QUERIES, 3),
            positives: ids(ROWS, CANDIDATES, 4),
            sampled: ids(ROWS * 5, CANDIDATES, 5),
        }
    }

    fn batch(&self) -> Batch<'_> {
        let queries = Matrix::new("queries", &self.queries, DIM).expect("queries");
        let candidates = Matrix::new("candidates", &self.candidates, DIM).expect("candidates");
        let batch = Batch::new(queries, candidates, Positives::One(&self.positives));
        (batch.and_then(|batch| batch.rows(&self.rows))).expect("a batch")
    }

    fn of_sampled(&self) -> Batch<'_> {
        let columns = Columns::Sampled {
            ids: &self.sampled,
            per_row: 5,
        };
        self.batch().columns(columns).expect("columns")
    }
}

fn agrees(loss: &dyn DynLoss, batch: &Batch<'_>) {
    let actual = (GPU.evaluate_f64(loss, batch, Want::BOTH)).expect("it evaluates");
    for verdict in judge(loss, batch, &actual).expect("it evaluates") {
        assert!(verdict.passed(), "{loss:?}: {verdict:?}");
    }
}

#[test]
fn state_of_rows_and_of_queries_is_renewed_on_the_device() {
    let mut tables = Tables::new();
    // A query whose last row is ignored, and one whose rows all are.
    tables.rows[ROWS - 1] = tables.rows[0];
    tables.positives[ROWS - 1] = IGNORED;
    let lost = tables.rows[1];
    for (row, query) in tables.rows.clone().into_iter().enumerate() {
        if query == lost {
            tables.positives[row] = IGNORED;
        }
    }
    let state = wide(&numbers(2 * ROWS, 6));
    agrees(
        &Remembering,
        &tables.batch().row_parameters(&state, 2).expect("rows"),
    );
    let state = &state[..2 * QUERIES];
    let by_query = tables.batch().query_parameters(state, 2).expect("queries");
    agrees(&Remembering, &by_query);
    // Rows that are all masked leave what was there.
    let all: Vec<u32> = (0..CANDIDATES as u32).collect();
    let mut offsets = vec![0; QUERIES + 1];
    offsets[4..].fill(CANDIDATES as u32);
    let lists = Lists {
        offsets: &offsets,
        ids: &all,
    };
    let masked = by_query.exclude(Exclude::ByQuery(lists)).expect("lists");
    agrees(&Remembering, &masked);
}

#[test]
fn the_last_live_row_of_a_query_says_what_is_there_after() {
    let tables = Tables::new();
    let state = wide(&numbers(2 * QUERIES, 7));
    let batch = tables.batch().query_parameters(&state, 2).expect("queries");
    let output = cpu::evaluate::<f64>(&Remembering, &batch, Want::NOTHING).expect("it evaluates");
    let after = output.row_parameters_after.expect("there is state");
    for query in 0..QUERIES {
        let last = tables.rows.iter().rposition(|&row| row as usize == query);
        let before = &state[2 * query..][..2];
        let expected = match last {
            None => [before[0], before[1]],
            Some(row) => {
                let kept = output.statistics[row];
                let mixed = 0.75 * before[0] + 0.25 * (kept.sum + kept.target);
                [mixed, before[1] + 1.0]
            }
        };
        assert_eq!(after[2 * query..][..2], expected, "query {query}");
    }
    let stateless = cpu::evaluate::<f64>(&Sl::new(0.1), &tables.batch(), Want::NOTHING);
    assert!(
        stateless
            .expect("it evaluates")
            .row_parameters_after
            .is_none()
    );
}

/// 1 + the number of candidates that score more, by definition.
fn rank(tables: &Tables, row: usize, id: u32) -> f64 {
    let query = &tables.queries[tables.rows[row] as usize * DIM..][..DIM];
    let score = |id: usize| -> f64 {
        let candidate = &tables.candidates[id * DIM..][..DIM];
        (query.iter().zip(candidate))
            .map(|(x, y)| f64::from(*x) * f64::from(*y))
            .sum()
    };
    let own = score(id as usize);
    1.0 + (0..CANDIDATES).filter(|&other| score(other) > own).count() as f64
}

#[test]
fn ranks_are_those_of_the_definition() {
    let mut tables = Tables::new();
    // Equal candidates share the best rank, whatever their place in a tile.
    let twin = tables.sampled[7] as usize;
    for place in [0, 3, 256, CANDIDATES - 1] {
        tables
            .candidates
            .copy_within(twin * DIM..(twin + 1) * DIM, place * DIM);
    }
    let output = cpu::evaluate::<f64>(&Ranked(Score::Dot), &tables.of_sampled(), Want::NOTHING);
    let output = output.expect("it evaluates");
    for row in 0..ROWS {
        let query = &tables.queries[tables.rows[row] as usize * DIM..][..DIM];
        let score = |id: u32| -> f64 {
            let candidate = &tables.candidates[id as usize * DIM..][..DIM];
            (query.iter().zip(candidate))
                .map(|(x, y)| f64::from(*x) * f64::from(*y))
                .sum()
        };
        let positive = tables.positives[row];
        let slots = tables.sampled[row * 5..][..5].iter();
        let expected: f64 = slots
            .map(|&id| {
                let weight = rank(&tables, row, id) + 0.5 * rank(&tables, row, positive);
                weight * (score(id) - score(positive))
            })
            .sum();
        let error = (output.row_losses[row] - expected).abs();
        assert!(error < 1e-9 * expected.abs().max(1.0), "row {row}");
    }
    for score in [Score::Dot, Score::Cosine] {
        agrees(&Ranked(score), &tables.of_sampled());
    }
}

#[test]
fn several_positives_have_ranks_of_their_own() {
    let tables = Tables::new();
    let offsets: Vec<u32> = (0..=ROWS as u32 / 2).map(|row| 2 * row).collect();
    let lists = Lists {
        offsets: &offsets,
        ids: &tables.positives,
    };
    let queries = Matrix::new("queries", &tables.queries, DIM).expect("queries");
    let candidates = Matrix::new("candidates", &tables.candidates, DIM).expect("candidates");
    let columns = Columns::Sampled {
        ids: &tables.sampled,
        per_row: 10,
    };
    let batch = Batch::new(queries, candidates, Positives::Many(lists))
        .and_then(|batch| batch.rows(&tables.rows[..ROWS / 2]))
        .and_then(|batch| batch.columns(columns));
    agrees(&Ranked(Score::Cosine), &batch.expect("a batch"));
}

#[test]
fn a_frozen_model_is_read_and_not_moved() {
    let tables = Tables::new();
    let (queries, candidates) = (numbers(QUERIES * 13, 8), numbers(CANDIDATES * 13, 9));
    for score in [Score::Dot, Score::Cosine] {
        for batch in [tables.batch(), tables.of_sampled()] {
            let queries = Matrix::new("adv_queries", &queries, 13).expect("queries");
            let candidates = Matrix::new("adv_candidates", &candidates, 13).expect("candidates");
            let batch = batch.second(queries, candidates).expect("tables");
            agrees(&Referenced(score), &batch);
            let output = cpu::evaluate::<f64>(&Referenced(score), &batch, Want::BOTH);
            assert!(output.expect("it evaluates").grad_second_queries.is_none());
        }
    }
    // A model against itself is no different from it: every score is 0.
    let batch = tables.batch();
    let (own, others) = (batch.query_table(), batch.candidate_table());
    let batch = batch.second(own, others).expect("tables");
    let output = cpu::evaluate::<f64>(&Referenced(Score::Dot), &batch, Want::NOTHING);
    let value = output.expect("it evaluates").value;
    assert!(
        (value - ((CANDIDATES - 1) as f64).ln()).abs() < 1e-12,
        "{value}"
    );
}

#[test]
fn kth_largest_scores_are_those_of_the_definition() {
    let mut tables = Tables::new();
    tables.candidates.copy_within(0..DIM, 7 * DIM);
    tables.queries[..DIM].fill(0.0);
    let queries = Matrix::new("queries", &tables.queries, DIM).expect("queries");
    let candidates = Matrix::new("candidates", &tables.candidates, DIM).expect("candidates");
    let reference = EngineOptions::default().device(Device::Reference);
    let reference = Engine::with_options(&reference).expect("an engine");
    for (score, k) in [
        (Score::Dot, 1),
        (Score::Cosine, 20),
        (Score::Projection, CANDIDATES),
    ] {
        let kth = Kth {
            k,
            score,
            score_scale: 0.5,
        };
        let [exact, found] = [&reference, &*GPU]
            .map(|engine| (engine.kth_largest(queries, candidates, kth)).expect("it evaluates"));
        for (query, (exact, found)) in exact.iter().zip(&found).enumerate() {
            assert!(
                (exact - found).abs() < 2e-6,
                "{kth:?}, {query}: {exact}, {found}"
            );
        }
        let all = sorted_scores(&tables, 5, score);
        assert!((all[k - 1] - exact[5]).abs() < 1e-6, "{kth:?}");
    }
    let beyond = Kth {
        k: CANDIDATES + 1,
        score: Score::Dot,
        score_scale: 1.0,
    };
    for engine in [&reference, &*GPU] {
        let error = engine
            .kth_largest(queries, candidates, beyond)
            .expect_err("too large");
        assert_eq!(
            error.to_string(),
            "kth_largest: k = 531: expected 1 to 530, the number of scores"
        );
    }
}

/// Half the scores of a query, the largest first.
fn sorted_scores(tables: &Tables, query: usize, score: Score) -> Vec<f32> {
    let query = &tables.queries[query * DIM..][..DIM];
    let norm = |row: &[f32]| {
        row.iter()
            .map(|x| f64::from(*x).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    let mut all: Vec<f32> = tables
        .candidates
        .chunks(DIM)
        .map(|candidate| {
            let dots = query.iter().zip(candidate);
            let dots: f64 = dots.map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            let by = |on: bool, row: &[f32]| if on { norm(row) } else { 1.0 };
            let lengths = by(score.unit_queries(), query) * by(score.unit_candidates(), candidate);
            (0.5 * dots / lengths) as f32
        })
        .collect();
    all.sort_by(|a, b| b.total_cmp(a));
    all
}

/// Second moments give what a tile gives: the same loss on a list of all candidates has one.
#[test]
fn second_moments_give_what_tiles_give() {
    let tables = Tables::new();
    let all: Vec<u32> = (0..CANDIDATES as u32).collect();
    let batch = tables.batch();
    let listed = batch.clone().columns(Columns::Shared(&all)).expect("ids");
    let loss = Squared(1.5);
    let [by_moments, by_tiles] = [&batch, &listed]
        .map(|batch| cpu::evaluate::<f64>(&loss, batch, Want::BOTH).expect("it evaluates"));
    let close = |what: &str, a: &[f64], b: &[f64]| {
        for (at, (a, b)) in a.iter().zip(b).enumerate() {
            assert!(
                (a - b).abs() < 1e-11 * (1.0 + b.abs()),
                "{what} {at}: {a}, not {b}"
            );
        }
    };
    close("row losses", &by_moments.row_losses, &by_tiles.row_losses);
    for (what, a, b) in [
        ("queries", by_moments.grad_queries, by_tiles.grad_queries),
        (
            "candidates",
            by_moments.grad_candidates,
            by_tiles.grad_candidates,
        ),
    ] {
        close(what, &a.expect("wanted"), &b.expect("wanted"));
    }
    agrees(&loss, &batch);
    agrees(&loss, &listed);
}
