//! Slices in, vectors out: [`Engine`].

mod options;

pub use options::{Device, EngineOptions};

use crate::{
    Batch, DynLoss, Error, Kth, Matrix, Output, Real, Reduction, Result, Want, adapter, cpu,
    gpu::{self, Context},
};
use std::env;

/// The environment variable that names a kernel family.
const FAMILY: &str = "WGLOSS_FAMILY";

/// Evaluates losses on slices.
///
/// Nothing is kept between calls but the device itself.
#[derive(Debug)]
pub struct Engine {
    path: Path,
    description: String,
}

/// The implementation behind an engine.
#[derive(Debug)]
enum Path {
    Gpu(Context),
    Cpu,
    Reference,
}

impl Engine {
    /// An engine on a hardware GPU if there is one, or else on the CPU; [`Engine::describe`] says
    /// which it became.
    ///
    /// # Errors
    /// The GPU was found but could not be opened.
    pub fn new() -> Result<Self> {
        Self::with_options(&EngineOptions::default())
    }

    /// An engine as asked for.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if a GPU or an adapter was asked for and there is none;
    /// [`Error::Unsupported`] if an adapter or a kernel family was asked for together with a CPU
    /// device; [`Error::Unknown`] for a family that the adapter does not have.
    pub fn with_options(options: &EngineOptions) -> Result<Self> {
        let named = options.adapter.as_deref();
        if let (Device::Cpu | Device::Reference, Some(id)) = (options.device, &options.family) {
            return Err(Error::Unsupported(format!(
                "kernel family `{id}`: device `{}` has none",
                options.device
            )));
        }
        match (options.device, named) {
            (Device::Cpu | Device::Reference, Some(name)) => Err(Error::Unsupported(format!(
                "adapter `{name}`: device `{}` uses no adapter",
                options.device
            ))),
            (Device::Cpu, None) => Ok(Self::on_cpu("as asked for")),
            (Device::Reference, None) => Ok(Self {
                path: Path::Reference,
                description: format!("CPU, f64 reference, {}", threads()),
            }),
            (Device::Gpu, _) | (Device::Auto, Some(_)) => Self::on_gpu(named, options),
            (Device::Auto, None) => Self::on_hardware(options),
        }
    }

    fn on_cpu(why: &str) -> Self {
        Self {
            path: Path::Cpu,
            description: format!("CPU, f32, {} ({why})", threads()),
        }
    }

    fn on_gpu(name: Option<&str>, options: &EngineOptions) -> Result<Self> {
        let adapters = adapter::adapters();
        let infos: Vec<_> = adapters.iter().map(wgpu::Adapter::get_info).collect();
        let place = adapter::pick(&infos, name)?;
        let context = Context::open(&adapters[place], &options.context)?;
        let asked = options.family.clone();
        let family = asked.or_else(|| env::var(FAMILY).ok().filter(|id| !id.is_empty()));
        let context = match family {
            Some(id) => context.pinned(&id)?,
            None => context,
        };
        Ok(Self {
            path: Path::Gpu(context),
            description: adapter::describe(&infos[place]),
        })
    }

    /// The best hardware GPU, or else the CPU.
    fn on_hardware(options: &EngineOptions) -> Result<Self> {
        let hardware = adapter::adapters()
            .iter()
            .any(|adapter| adapter::is_hardware(&adapter.get_info()));
        if hardware {
            Self::on_gpu(None, options)
        } else {
            Ok(Self::on_cpu("there is no hardware GPU"))
        }
    }

    /// The device and its pipelines, if the engine runs on a GPU.
    #[must_use]
    pub fn context(&self) -> Option<&Context> {
        match &self.path {
            Path::Gpu(context) => Some(context),
            Path::Cpu | Path::Reference => None,
        }
    }

    /// One line that says what the engine runs on.
    #[must_use]
    pub fn describe(&self) -> String {
        self.description.clone()
    }

    /// What the engine became; never [`Device::Auto`].
    #[must_use]
    pub fn device(&self) -> Device {
        match self.path {
            Path::Gpu(_) => Device::Gpu,
            Path::Cpu => Device::Cpu,
            Path::Reference => Device::Reference,
        }
    }

    /// The value, the row losses and the row statistics.
    ///
    /// # Errors
    /// As [`Engine::evaluate`].
    pub fn forward(&self, loss: &dyn DynLoss, batch: &Batch<'_>) -> Result<Output<f32>> {
        self.evaluate(loss, batch, Want::NOTHING)
    }

    /// As [`Engine::forward`]; waits as [`Engine::evaluate_async`] does.
    ///
    /// # Errors
    /// As [`Engine::evaluate`].
    pub fn forward_async(
        &self,
        loss: &dyn DynLoss,
        batch: &Batch<'_>,
    ) -> impl Future<Output = Result<Output<f32>>> + Send + use<> {
        self.evaluate_async(loss, batch, Want::NOTHING)
    }

    /// The value and the gradients of both tables.
    ///
    /// # Errors
    /// As [`Engine::evaluate`].
    pub fn value_and_grad(&self, loss: &dyn DynLoss, batch: &Batch<'_>) -> Result<Output<f32>> {
        self.evaluate(loss, batch, Want::BOTH)
    }

    /// As [`Engine::value_and_grad`]; waits as [`Engine::evaluate_async`] does.
    ///
    /// # Errors
    /// As [`Engine::evaluate`].
    pub fn value_and_grad_async(
        &self,
        loss: &dyn DynLoss,
        batch: &Batch<'_>,
    ) -> impl Future<Output = Result<Output<f32>>> + Send + use<> {
        self.evaluate_async(loss, batch, Want::BOTH)
    }

    /// The gradients of `Σ_p upstream_p · ℓ_p`, whatever the batch's own reduction: the backward
    /// pass of row losses that went into something else.
    ///
    /// # Errors
    /// The upstream gradients are not one finite number per pair; or as [`Engine::evaluate`].
    pub fn backward(
        &self,
        loss: &dyn DynLoss,
        batch: &Batch<'_>,
        upstream: &[f32],
    ) -> Result<Output<f32>> {
        let batch = batch.clone().reduction(Reduction::None { upstream })?;
        self.evaluate(loss, &batch, Want::BOTH)
    }

    /// As [`Engine::backward`]; waits as [`Engine::evaluate_async`] does.
    ///
    /// # Errors
    /// As [`Engine::backward`].
    pub fn backward_async(
        &self,
        loss: &dyn DynLoss,
        batch: &Batch<'_>,
        upstream: &[f32],
    ) -> impl Future<Output = Result<Output<f32>>> + Send + use<> {
        let batch = batch.clone().reduction(Reduction::None { upstream });
        let started = batch.map(|batch| self.evaluate_async(loss, &batch, Want::BOTH));
        async move { started?.await }
    }

    /// The value and the gradients that are wanted. The reference's results are rounded to f32:
    /// see [`Engine::evaluate_f64`].
    ///
    /// # Errors
    /// Loss and batch do not fit, a parameter is outside its domain, or a result is beyond the
    /// range of f32.
    pub fn evaluate(
        &self,
        loss: &dyn DynLoss,
        batch: &Batch<'_>,
        want: Want,
    ) -> Result<Output<f32>> {
        match &self.path {
            Path::Gpu(context) => gpu::evaluate(context, loss, batch, want),
            Path::Cpu => cpu::evaluate::<f32>(loss, batch, want),
            Path::Reference => {
                let output = cpu::evaluate::<f64>(loss, batch, want)?.map(Real::to_f32);
                output.check_finite()?;
                Ok(output)
            }
        }
    }

    /// As [`Engine::evaluate`], without waiting for a GPU. The call itself uploads and submits, so
    /// several evaluations can be on their way; the future owns what it needs, and any executor
    /// will do (who polls the device: [`gpu::ReadBack`]). On the CPU the call itself evaluates, and
    /// the future is ready.
    ///
    /// # Errors
    /// As [`Engine::evaluate`].
    pub fn evaluate_async(
        &self,
        loss: &dyn DynLoss,
        batch: &Batch<'_>,
        want: Want,
    ) -> impl Future<Output = Result<Output<f32>>> + Send + use<> {
        let started = match &self.path {
            Path::Gpu(context) => {
                Started::Submitted(gpu::evaluate_async(context, loss, batch, want))
            }
            Path::Cpu | Path::Reference => {
                Started::Done(Box::new(self.evaluate(loss, batch, want)))
            }
        };
        async move {
            match started {
                Started::Submitted(results) => results.await,
                Started::Done(output) => *output,
            }
        }
    }

    /// The K-th largest score of every query with any candidate: what row parameters with
    /// [`Renewal::KthLargest`](crate::loss::Renewal::KthLargest) are set to.
    ///
    /// # Errors
    /// K is 0 or beyond the number of candidates, the tables do not fit each other, or a score is
    /// not finite.
    pub fn kth_largest(
        &self,
        queries: Matrix<'_>,
        candidates: Matrix<'_>,
        kth: Kth,
    ) -> Result<Vec<f32>> {
        match &self.path {
            Path::Gpu(context) => gpu::kth_largest(context, queries, candidates, kth),
            Path::Cpu => cpu::kth_largest(queries, candidates, kth),
            Path::Reference => {
                let found = cpu::kth_largest::<f64>(queries, candidates, kth)?;
                Ok(found.into_iter().map(Real::to_f32).collect())
            }
        }
    }

    /// As [`Engine::evaluate`], in f64: the reference's results as they are, those of the other
    /// devices widened.
    ///
    /// # Errors
    /// As [`Engine::evaluate`].
    pub fn evaluate_f64(
        &self,
        loss: &dyn DynLoss,
        batch: &Batch<'_>,
        want: Want,
    ) -> Result<Output<f64>> {
        if !matches!(self.path, Path::Reference) {
            return Ok(self.evaluate(loss, batch, want)?.map(Real::to_f64));
        }
        cpu::evaluate::<f64>(loss, batch, want)
    }
}

/// What became of an evaluation when it was called for.
enum Started<F> {
    Submitted(F),
    Done(Box<Result<Output<f32>>>),
}

fn threads() -> String {
    match rayon::current_num_threads() {
        1 => "1 thread".into(),
        n => format!("{n} threads"),
    }
}
