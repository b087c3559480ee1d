//! One evaluation, ready to be run again and again.

use super::{
    Inputs,
    gpu_step::{self, planned},
    resident,
};
use crate::{
    Device, DynLoss, Engine, Error, Output, Result, Shape, Want,
    adapter::is_hardware,
    cpu::{self, Gradient, Gradients},
    gpu::{Buffers, Context, Plan, PlanOptions, Scores, StageTime, Storage},
};
use std::time::{Duration, Instant};

/// How long a GPU takes at most to raise its clocks; twice what was seen on an H100.
const WARM_UP: Duration = Duration::from_millis(500);

/// A loss on some inputs, with the gradients that are wanted. On a GPU plan and buffers are made
/// once, and a run records, submits once and waits; on the CPU a run evaluates into slices that are
/// made once.
pub struct Step<'a> {
    loss: &'a dyn DynLoss,
    inputs: &'a Inputs,
    shape: Shape,
    want: Want,
    path: Path,
}

enum Path {
    Gpu(Box<(Plan, Buffers)>),
    Cpu(CpuBuffers),
}

/// The gradients.
struct CpuBuffers {
    queries: Option<Vec<f32>>,
    candidates: Option<Vec<f32>>,
    /// Most bytes of the first run beyond inputs and gradients.
    bytes: Option<u64>,
}

impl<'a> Step<'a> {
    /// Makes what runs need, and runs once. On a GPU the kernels are those that are tuned for the
    /// loss.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for the reference, which is there to be right and not fast; else as
    /// [`Plan::new`] and [`cpu::evaluate_into`].
    pub fn new(
        engine: &Engine,
        loss: &'a dyn DynLoss,
        inputs: &'a Inputs,
        want: Want,
    ) -> Result<(Self, Output<f32>)> {
        let options = PlanOptions {
            want,
            ..PlanOptions::default()
        };
        Step::with(engine, loss, inputs, &options)
    }

    /// As [`Step::new`], on a GPU with a plan of these options.
    ///
    /// # Errors
    /// As there; what the options ask for cannot be.
    pub fn with(
        engine: &Engine,
        loss: &'a dyn DynLoss,
        inputs: &'a Inputs,
        options: &PlanOptions,
    ) -> Result<(Self, Output<f32>)> {
        let want = options.want;
        if let Some(context) = engine.context() {
            let context = context.tuned(loss, &inputs.batch()?.shape()?)?;
            return Step::planned(&context, loss, inputs, options);
        }
        if options.storage != Storage::F32 || options.scores != Scores::Auto {
            return Err(Error::Unsupported(format!(
                "storage {:?} and scores {:?} on the {:?}: expected a GPU, or storage F32 and scores Auto",
                options.storage,
                options.scores,
                engine.device()
            )));
        }
        if engine.device() != Device::Cpu {
            return Err(Error::Unsupported(
                "device `reference`: it is not there to be fast; expected gpu or cpu".into(),
            ));
        }
        let (shape, want) = wanted(loss, inputs, want)?;
        let path = Path::Cpu(CpuBuffers::new(&shape, want));
        Step::of(loss, inputs, (shape, want), path)
    }

    /// As [`Step::new`], on a context as it is.
    ///
    /// # Errors
    /// As there.
    pub fn on(
        context: &Context,
        loss: &'a dyn DynLoss,
        inputs: &'a Inputs,
        want: Want,
    ) -> Result<(Self, Output<f32>)> {
        let options = PlanOptions {
            want,
            ..PlanOptions::default()
        };
        Step::planned(context, loss, inputs, &options)
    }

    /// As [`Step::on`], with a plan of these options.
    ///
    /// # Errors
    /// As there; what the options ask for cannot be.
    pub fn planned(
        context: &Context,
        loss: &'a dyn DynLoss,
        inputs: &'a Inputs,
        options: &PlanOptions,
    ) -> Result<(Self, Output<f32>)> {
        let (shape, want) = wanted(loss, inputs, options.want)?;
        let options = PlanOptions { want, ..*options };
        let path = Path::Gpu(Box::new(planned(context, loss, inputs, &options)?));
        Step::of(loss, inputs, (shape, want), path)
    }

    fn of(
        loss: &'a dyn DynLoss,
        inputs: &'a Inputs,
        (shape, want): (Shape, Want),
        path: Path,
    ) -> Result<(Self, Output<f32>)> {
        let mut step = Step {
            loss,
            inputs,
            shape,
            want,
            path,
        };
        let output = step.first_run()?;
        Ok((step, output))
    }

    fn first_run(&mut self) -> Result<Output<f32>> {
        match &mut self.path {
            Path::Gpu(path) => {
                gpu_step::run(path)?;
                gpu_step::output(path)
            }
            Path::Cpu(buffers) => {
                let (output, bytes) = resident(|| buffers.run(self.loss, self.inputs));
                buffers.bytes = bytes;
                Ok(Output {
                    grad_queries: buffers.queries.clone(),
                    grad_candidates: buffers.candidates.clone(),
                    ..output?
                })
            }
        }
    }

    /// Evaluates for a while, where clocks rise under load: on a hardware GPU. Elsewhere does nothing.
    ///
    /// # Errors
    /// As [`Step::new`].
    pub fn warm_up(&mut self) -> Result<()> {
        let Path::Gpu(path) = &self.path else {
            return Ok(());
        };
        let begin = Instant::now();
        while is_hardware(&path.0.context().device().adapter_info()) && begin.elapsed() < WARM_UP {
            gpu_step::run(path)?;
        }
        Ok(())
    }

    /// Evaluates once; the time by the wall clock.
    ///
    /// # Errors
    /// As [`Step::new`].
    pub fn run(&mut self) -> Result<Duration> {
        let start = Instant::now();
        match &mut self.path {
            Path::Gpu(path) => gpu_step::run(path)?,
            Path::Cpu(buffers) => {
                buffers.run(self.loss, self.inputs)?;
            }
        }
        Ok(start.elapsed())
    }

    /// The time of each stage in one more run; `None` where the device has no clock, or is the CPU.
    ///
    /// # Errors
    /// As [`Plan::time_stages`].
    pub fn time_stages(&self) -> Result<Option<Vec<StageTime>>> {
        match &self.path {
            Path::Gpu(path) => {
                let (plan, buffers) = path.as_ref();
                let features = plan.context().device().features();
                let clock = features.contains(wgpu::Features::TIMESTAMP_QUERY);
                clock.then(|| plan.time_stages(buffers)).transpose()
            }
            Path::Cpu(_) => Ok(None),
        }
    }

    /// How scores become gradients, in words, and the executed FLOP, where that is told.
    ///
    /// # Errors
    /// As [`cpu::scheme`].
    pub fn scheme(&self) -> Result<(&'static str, Option<u64>)> {
        match &self.path {
            Path::Gpu(path) => Ok((path.0.scheme(), Some(path.0.flops()))),
            Path::Cpu(_) => {
                let (batch, options) = (self.inputs.batch()?, cpu::Options::default());
                let scheme = cpu::scheme(self.loss, &batch, self.want, &options)?;
                Ok((scheme.name, scheme.flops))
            }
        }
    }

    /// The plan; `None` on the CPU, where it follows from the shape.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        match &self.path {
            Path::Gpu(path) => Some(&path.0),
            Path::Cpu(_) => None,
        }
    }

    /// Bytes beyond inputs and gradients: on a GPU those of the plan, on the CPU the most by which
    /// the process grew in its first run, see [`resident`].
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        match &self.path {
            Path::Gpu(path) => Some(path.0.bytes()),
            Path::Cpu(buffers) => buffers.bytes,
        }
    }

    /// FLOP that no implementation can do without: see [`useful_flops`].
    #[must_use]
    pub fn useful_flops(&self) -> u64 {
        useful_flops(&self.shape, self.want)
    }
}

/// 2·B·N·D for the value and as many for each gradient, N being a row's columns.
#[must_use]
pub fn useful_flops(shape: &Shape, want: Want) -> u64 {
    let products = 1 + u64::from(want.queries) + u64::from(want.candidates);
    let widths = shape.dim + shape.second_dim.unwrap_or(0);
    2 * products * (shape.rows * shape.columns()) as u64 * widths as u64
}

/// The shape, and which gradients of the tables there can be.
pub(super) fn wanted(loss: &dyn DynLoss, inputs: &Inputs, want: Want) -> Result<(Shape, Want)> {
    let shape = inputs.batch()?.shape()?;
    let want = Want {
        column_parameters: false,
        second: false,
        ..want.of(&shape).for_loss(&loss.spec())
    };
    Ok((shape, want))
}

impl CpuBuffers {
    fn new(shape: &Shape, want: Want) -> Self {
        // Written, so that the system counts them before the first run.
        let table = |wanted: bool, rows: usize| wanted.then(|| vec![f32::NAN; rows * shape.dim]);
        CpuBuffers {
            queries: table(want.queries, shape.queries),
            candidates: table(want.candidates, shape.candidates),
            bytes: None,
        }
    }

    fn run(&mut self, loss: &dyn DynLoss, inputs: &Inputs) -> Result<Output<f32>> {
        fn whole(out: &mut Option<Vec<f32>>) -> Option<Gradient<'_, f32>> {
            out.as_mut().map(|out| Gradient { out, add: false })
        }
        let gradients = Gradients {
            queries: whole(&mut self.queries),
            candidates: whole(&mut self.candidates),
            ..Gradients::default()
        };
        cpu::evaluate_into(loss, &inputs.batch()?, gradients, &cpu::Options::default())
    }
}
