//! The one device, and how a batch runs on it.

use crate::case::{Case, layouts};
use std::sync::LazyLock;
use wgloss::{
    Batch, DynLoss, Output, adapter,
    check::judge,
    gpu::{Buffers, Context, ContextOptions, Family, Plan, PlanOptions, Scores, Slice, upload},
    wgpu,
};

static CONTEXT: LazyLock<Context> = LazyLock::new(|| open(&ContextOptions::default()));

/// A device of its own.
pub fn open(options: &ContextOptions) -> Context {
    let adapters = adapter::adapters();
    let infos: Vec<_> = adapters.iter().map(wgpu::Adapter::get_info).collect();
    let place = adapter::pick(&infos, None).unwrap_or_else(|error| panic!("{error}"));
    Context::open(&adapters[place], options).unwrap_or_else(|error| panic!("{error}"))
}

/// The shared device.
pub fn context() -> &'static Context {
    &CONTEXT
}

/// The shared device with workgroups of 8 invocations, whatever it has: limits that cut small shapes
/// are those of small workgroups.
pub fn eight() -> &'static Context {
    static EIGHT: LazyLock<Context> = LazyLock::new(|| context_with(&of_eight()));
    &EIGHT
}

/// Options of [`eight`].
pub fn of_eight() -> ContextOptions {
    let lanes = 8;
    ContextOptions {
        family: Some(match CONTEXT.family().subgroups() {
            true => Family::Subgroup { lanes },
            false => Family::Plain { lanes },
        }),
        ..ContextOptions::default()
    }
}

/// The shared device, used otherwise.
pub fn context_with(options: &ContextOptions) -> Context {
    CONTEXT.with_options(options)
}

/// Pipelines compiled on the shared device.
pub fn pipelines() -> usize {
    CONTEXT.pipeline_count()
}

/// Runs what records commands; a validation error of the device is a failure.
pub fn submit(context: &Context, record: impl FnOnce(&mut wgpu::CommandEncoder)) {
    let device = context.device();
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let mut encoder = device.create_command_encoder(&Default::default());
    record(&mut encoder);
    context.queue().submit([encoder.finish()]);
    if let Some(error) = pollster::block_on(scope.pop()) {
        panic!("{error}");
    }
}

/// A plan with its inputs uploaded and its gradients filled with `fill`.
pub struct Prepared {
    pub plan: Plan,
    pub buffers: Buffers,
}

impl Prepared {
    pub fn new(
        context: &Context,
        loss: &dyn DynLoss,
        batch: &Batch<'_>,
        options: &PlanOptions,
        fill: f32,
    ) -> Self {
        let shape = batch.shape().expect("it has a shape");
        let options = &PlanOptions {
            want: options.want.for_loss(&loss.spec()),
            ..*options
        };
        let plan = Plan::new(context, loss, &shape, &layouts(batch), options)
            .unwrap_or_else(|error| panic!("{loss:?}: {error}"));
        plan.set_factor(batch.value_factor());
        let mut buffers = upload(context, batch, options.want).expect("it uploads");
        if !loss.spec().row_state {
            buffers.row_parameters_after = None;
        }
        let prepared = Prepared { plan, buffers };
        for grad in prepared.gradients() {
            let words = vec![fill; (grad.size / 4) as usize];
            let bytes: Vec<u8> = words.iter().flat_map(|x| x.to_le_bytes()).collect();
            context
                .queue()
                .write_buffer(&grad.buffer, grad.offset, &bytes);
        }
        prepared
    }

    fn gradients(&self) -> Vec<Slice> {
        let all = [
            &self.buffers.grad_queries,
            &self.buffers.grad_candidates,
            &self.buffers.grad_second_queries,
            &self.buffers.grad_second_candidates,
            &self.buffers.grad_column_parameters,
            &self.buffers.grad_positive_scores,
            &self.buffers.grad_column_scores,
            &self.buffers.row_parameters_after,
        ];
        all.into_iter().flatten().cloned().collect()
    }

    /// Everything at once.
    pub fn run(&self) -> Output<f32> {
        submit(self.plan.context(), |encoder| {
            self.plan
                .encode(encoder, &self.buffers)
                .expect("it records");
        });
        self.read()
    }

    /// The results of what was submitted.
    pub fn read(&self) -> Output<f32> {
        let (results, grads) = self
            .plan
            .read(&self.gradients())
            .unwrap_or_else(|error| panic!("{error}"));
        let mut grads = grads
            .into_iter()
            .map(|words| words.into_iter().map(f32::from_bits).collect());
        Output {
            value: results.value,
            row_losses: results.row_losses,
            grad_queries: self
                .buffers
                .grad_queries
                .as_ref()
                .and_then(|_| grads.next()),
            grad_candidates: self
                .buffers
                .grad_candidates
                .as_ref()
                .and_then(|_| grads.next()),
            grad_second_queries: (self.buffers.grad_second_queries.as_ref())
                .and_then(|_| grads.next()),
            grad_second_candidates: (self.buffers.grad_second_candidates.as_ref())
                .and_then(|_| grads.next()),
            grad_column_parameters: (self.buffers.grad_column_parameters.as_ref())
                .and_then(|_| grads.next()),
            grad_positive_scores: (self.buffers.grad_positive_scores.as_ref())
                .and_then(|_| grads.next()),
            grad_column_scores: (self.buffers.grad_column_scores.as_ref())
                .and_then(|_| grads.next()),
            row_parameters_after: (self.buffers.row_parameters_after.as_ref())
                .and_then(|_| grads.next()),
            grad_theta: results.grad_theta,
            theta_after: results.theta_after,
            statistics: results.statistics,
            counts: results.counts,
        }
    }
}

/// Value and both gradients. Gradients start as NaN: what is not written shows.
pub fn run(context: &Context, loss: &dyn DynLoss, batch: &Batch<'_>) -> Output<f32> {
    // Whatever the width: kept scores have tests of their own.
    let options = PlanOptions {
        scores: Scores::Twice,
        ..PlanOptions::default()
    };
    run_with(context, loss, batch, &options)
}

/// As [`run`], with options.
pub fn run_with(
    context: &Context,
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    options: &PlanOptions,
) -> Output<f32> {
    Prepared::new(context, loss, batch, options, f32::NAN).run()
}

/// Every number's bits.
pub fn bits(output: &Output<f32>) -> Vec<u32> {
    let gradients = [
        &output.grad_queries,
        &output.grad_candidates,
        &output.grad_second_queries,
        &output.grad_second_candidates,
        &output.grad_column_parameters,
        &output.grad_positive_scores,
        &output.grad_column_scores,
        &output.row_parameters_after,
    ];
    std::iter::once(&output.value)
        .chain(&output.row_losses)
        .chain(gradients.into_iter().flatten().flatten())
        .chain(&output.grad_theta)
        .map(|x| x.to_bits())
        .collect()
}

/// What the rule of `wgloss::check` says against the results; empty if they are right.
pub fn objections(
    loss: &dyn DynLoss,
    batch: &Batch<'_>,
    output: &Output<f32>,
    what: &str,
) -> Vec<String> {
    let verdicts = judge(loss, batch, &output.map(f64::from))
        .unwrap_or_else(|error| panic!("{loss:?} on {what}: {error}"));
    verdicts
        .iter()
        .filter(|verdict| !verdict.passed())
        .map(|verdict| format!("{loss:?} on {what}: {verdict:?}"))
        .collect()
}

/// Runs cases on the shared device and fails with every objection.
pub fn agree(losses: &[&dyn DynLoss], cases: &[(&str, Case)]) {
    agree_on(context(), losses, cases);
}

/// As [`agree`], on another context.
pub fn agree_on(context: &Context, losses: &[&dyn DynLoss], cases: &[(&str, Case)]) {
    let mut failures = Vec::new();
    for (what, case) in cases {
        let batch = case.batch();
        for loss in losses {
            let output = run(context, *loss, &batch);
            failures.extend(objections(*loss, &batch, &output, what));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
