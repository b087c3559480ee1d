//! Plans by hand: what the engine does, with options, limits and what gradients hold before.

use super::GPU;
use std::sync::LazyLock;
use wgloss::{
    Batch, DynLoss, Elements, Matrix, Output, Result, Want,
    gpu::{
        Buffers, Context, ContextOptions, Family, Plan, PlanOptions, Slice, TableLayout,
        TableLayouts, upload,
    },
};

/// The GPU, with bindings of at most this many bytes.
pub fn narrow(max_binding: u64) -> Context {
    full().with_options(&ContextOptions {
        max_binding: Some(max_binding),
        family: Some(full().family()),
        ..ContextOptions::default()
    })
}

/// The GPU with workgroups of 8 invocations, whatever it has: limits that cut small shapes are those of
/// small workgroups.
pub fn full() -> &'static Context {
    static FULL: LazyLock<Context> = LazyLock::new(|| {
        let own = GPU.context().expect("it runs on a GPU");
        let lanes = 8;
        let family = match own.family().subgroups() {
            true => Family::Subgroup { lanes },
            false => Family::Plain { lanes },
        };
        own.with_options(&ContextOptions {
            family: Some(family),
            ..ContextOptions::default()
        })
    });
    &FULL
}

/// A plan with its inputs uploaded.
pub struct Run {
    /// Whether row parameters are renewed.
    state: bool,
    pub plan: Plan,
    pub buffers: Buffers,
}

impl Run {
    pub fn new(
        context: &Context,
        loss: &dyn DynLoss,
        batch: &Batch<'_>,
        options: &PlanOptions,
    ) -> Self {
        let shape = batch.shape().expect("a shape");
        let plan = Plan::new(context, loss, &shape, &layouts(batch), options);
        let plan = plan.unwrap_or_else(|error| panic!("{loss:?}: {error}"));
        plan.set_factor(batch.value_factor());
        Run {
            state: loss.spec().row_state,
            plan,
            buffers: upload(context, batch, options.want).expect("it uploads"),
        }
    }

    /// Writes numbers to a range.
    pub fn write(&self, slice: &Slice, numbers: &[f32]) {
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        let queue = self.plan.context().queue();
        queue.write_buffer(&slice.buffer, slice.offset, &bytes);
    }

    /// Evaluates with gradients that hold `fill` before.
    pub fn from(&self, fill: f32) -> Result<Output<f32>> {
        for grad in self.gradients() {
            self.write(&grad, &vec![fill; (grad.size / 4) as usize]);
        }
        self.again()
    }

    /// Evaluates with gradients as they are.
    pub fn again(&self) -> Result<Output<f32>> {
        let context = self.plan.context();
        let device = context.device();
        let mut encoder = device.create_command_encoder(&Default::default());
        self.plan.encode(&mut encoder, &self.buffers)?;
        context.queue().submit([encoder.finish()]);
        let (results, grads) = self.plan.read(&self.gradients())?;
        let mut grads = grads.into_iter();
        let b = &self.buffers;
        let mut of = |slice: &Option<Slice>| {
            let words = slice.as_ref().and_then(|_| grads.next())?;
            Some(words.into_iter().map(f32::from_bits).collect())
        };
        Ok(Output {
            value: results.value,
            row_losses: results.row_losses,
            grad_queries: of(&b.grad_queries),
            grad_candidates: of(&b.grad_candidates),
            grad_second_queries: of(&b.grad_second_queries),
            grad_second_candidates: of(&b.grad_second_candidates),
            grad_column_parameters: of(&b.grad_column_parameters),
            grad_positive_scores: of(&b.grad_positive_scores),
            grad_column_scores: of(&b.grad_column_scores),
            row_parameters_after: of(&b.row_parameters_after.clone().filter(|_| self.state)),
            grad_theta: results.grad_theta,
            theta_after: results.theta_after,
            statistics: results.statistics,
            counts: results.counts,
        })
    }

    fn gradients(&self) -> Vec<Slice> {
        let b = &self.buffers;
        let all = [
            &b.grad_queries,
            &b.grad_candidates,
            &b.grad_second_queries,
            &b.grad_second_candidates,
            &b.grad_column_parameters,
            &b.grad_positive_scores,
            &b.grad_column_scores,
        ];
        let after = b.row_parameters_after.iter().filter(|_| self.state);
        all.into_iter().flatten().chain(after).cloned().collect()
    }
}

/// Everything that the batch can give, from gradients that held NaN.
pub fn run(
    context: &Context,
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    scratch_bytes: u64,
) -> Output<f32> {
    let options = PlanOptions {
        scratch_bytes: Some(scratch_bytes),
        want: Want::BOTH,
        ..PlanOptions::default()
    };
    let run = Run::new(context, loss, batch, &options);
    run.from(f32::NAN)
        .unwrap_or_else(|error| panic!("{loss:?}: {error}"))
}

fn layouts(batch: &Batch<'_>) -> TableLayouts {
    let mut layouts = TableLayouts::dense(&batch.shape().expect("a shape"));
    let of = |matrix: &Matrix<'_>| TableLayout {
        stride: matrix.stride(),
        half: matches!(matrix.elements(), Elements::F16(_)),
    };
    layouts.queries = of(&batch.query_table());
    layouts.candidates = of(&batch.candidate_table());
    layouts
}

/// The gradients by name, those that there are.
pub fn gradients(output: &Output<f32>) -> Vec<(&'static str, &[f32])> {
    let all = [
        ("grad_queries", &output.grad_queries),
        ("grad_candidates", &output.grad_candidates),
        ("grad_second_queries", &output.grad_second_queries),
        ("grad_second_candidates", &output.grad_second_candidates),
        ("grad_column_parameters", &output.grad_column_parameters),
        ("grad_positive_scores", &output.grad_positive_scores),
        ("grad_column_scores", &output.grad_column_scores),
    ];
    all.into_iter()
        .filter_map(|(name, numbers)| Some((name, numbers.as_deref()?)))
        .collect()
}
