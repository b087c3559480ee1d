//! Which kernel family is the fastest on an adapter, per kind of loss and width: a small table,
//! measured once and kept between runs.

mod file;

use super::{CacheFolder, Context, ContextOptions, Family, family::families};
use crate::{
    AnyLoss, DynLoss, Error, Result, Shape, Want, adapter,
    bench::{Inputs, Step, median, prepare},
    loss::{AdvInfoNce, Bpr, RowReduction, Sl, Spec},
};
use rayon::prelude::*;
use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Rows and candidates that families are compared on.
const ROWS: usize = 1024;
const CANDIDATES: usize = 8192;
/// Multiply-adds of one product from which an evaluation is worth measuring for.
const LEAST_WORK: usize = 1 << 28;
/// Evaluations of each family; the median counts. One is enough where it takes this many times as long
/// as the fastest family before.
const REPEATS: usize = 3;
const HOPELESS: u32 = 2;
/// Widths that have choices of their own are powers of two from here.
const LEAST_DIM: usize = 32;

/// Kinds of losses whose kernels differ enough to be measured apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LossKind {
    /// A row reduces to a log-sum-exp.
    LogSumExp,
    /// A row reduces to a sum.
    Sum,
    /// There is a second score tile.
    SecondTile,
}

/// Losses and widths that share a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TuningClass {
    /// The losses.
    pub kind: LossKind,
    /// The largest width, a power of two from 32.
    pub dim: usize,
}

impl TuningClass {
    /// The class of a loss and a width.
    #[must_use]
    pub fn of(spec: &Spec, dim: usize) -> Self {
        let kind = match (spec.second, spec.reduction) {
            (Some(_), _) => LossKind::SecondTile,
            (None, RowReduction::LogSumExp) => LossKind::LogSumExp,
            (None, RowReduction::Sum) => LossKind::Sum,
        };
        TuningClass {
            kind,
            dim: Self::width(dim),
        }
    }

    /// The largest width that shares choices with this one.
    #[must_use]
    pub fn width(dim: usize) -> usize {
        dim.next_power_of_two().max(LEAST_DIM)
    }

    /// All classes of some widths.
    #[must_use]
    pub fn all(dims: &[usize]) -> Vec<Self> {
        let kinds = [LossKind::LogSumExp, LossKind::Sum, LossKind::SecondTile];
        let of = |kind| dims.iter().map(move |&dim| TuningClass { kind, dim });
        kinds.into_iter().flat_map(of).collect()
    }

    /// The loss that stands for the class.
    fn loss(self) -> AnyLoss {
        match self.kind {
            LossKind::LogSumExp => AnyLoss::Sl(Sl::default()),
            LossKind::Sum => AnyLoss::Bpr(Bpr::default()),
            LossKind::SecondTile => AnyLoss::AdvInfoNce(AdvInfoNce::default()),
        }
    }
}

impl fmt::Display for TuningClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            LossKind::LogSumExp => "log-sum-exp",
            LossKind::Sum => "sum",
            LossKind::SecondTile => "second-tile",
        };
        f.pad(&format!("{kind}-{}", self.dim))
    }
}

/// What was measured for a class.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuned {
    /// Losses and widths.
    pub class: TuningClass,
    /// Families with their times for value and both gradients, the fastest first.
    pub times: Vec<(Family, Duration)>,
}

impl Tuned {
    /// The fastest.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        self.times.first().map(|(family, _)| *family)
    }
}

/// The table of one adapter.
#[derive(Debug)]
pub(super) struct Tuning {
    /// The file; without one nothing is measured unasked.
    path: Option<PathBuf>,
    /// Adapter and driver as the file names them.
    adapter: String,
    known: Mutex<BTreeMap<TuningClass, Tuned>>,
}

impl Tuning {
    /// Reads the adapter's file, if there is one to read.
    pub(super) fn open(device: &wgpu::Device, folder: &CacheFolder) -> Self {
        let info = device.adapter_info();
        let name = format!(
            "tuning-{}-{:x}-{:x}.json",
            info.backend, info.vendor, info.device
        );
        let path = folder.path().map(|folder| folder.join(name));
        let adapter = adapter::describe(&info);
        let families = families(device);
        let known = (path.as_deref()).map(|path| file::read(path, &adapter, &families));
        Tuning {
            path,
            adapter,
            known: Mutex::new(known.unwrap_or_default()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TuningClass, Tuned>> {
        // Nothing that holds the lock can panic half way.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, tuned: Tuned) {
        let mut known = self.lock();
        known.insert(tuned.class, tuned);
        if let Some(path) = &self.path {
            file::write(path, &self.adapter, &known);
        }
    }
}

impl Context {
    /// The families that this device can run, its default first.
    #[must_use]
    pub fn families(&self) -> Vec<Family> {
        families(&self.device)
    }

    /// The same device with one family, by its name or by the ID of a plan that it was in.
    ///
    /// # Errors
    /// [`Error::Unknown`] for one that this device does not have.
    pub fn pinned(&self, id: &str) -> Result<Context> {
        let families = self.families();
        let is = |family: &Family| {
            let rest = id.strip_prefix(&family.id());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        match families.iter().find(|family| is(family)) {
            Some(family) => Ok(self.with_family(*family)),
            None => Err(Error::Unknown {
                what: "the kernel family".into(),
                kind: "family",
                name: id.into(),
                valid: families
                    .into_iter()
                    .map(Family::id)
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }

    /// The same device with the family that is the fastest for losses and widths like these: what
    /// was asked for by [`ContextOptions::family`], or else what the table says. What the table does
    /// not know is measured, which takes a moment and submits to the queue, and is kept; but not for
    /// small evaluations, nor on software adapters, where compiling alone takes seconds (see
    /// [`Context::tune`]), nor without a folder to keep it in, so that runs agree: there it is the
    /// default.
    ///
    /// # Errors
    /// As [`Context::tune`].
    pub fn tuned(&self, loss: &dyn DynLoss, shape: &Shape) -> Result<Context> {
        if self.options.family.is_some() {
            return Ok(self.clone());
        }
        let class = TuningClass::of(&loss.spec(), shape.dim);
        let known = self.tuning.lock().get(&class).and_then(Tuned::family);
        if let Some(family) = known {
            return Ok(self.with_family(family));
        }
        let hardware = adapter::is_hardware(&self.device.adapter_info());
        let work = shape
            .rows
            .saturating_mul(shape.columns())
            .saturating_mul(shape.dim);
        if !hardware || work < LEAST_WORK || self.tuning.path.is_none() || self.families().len() < 2
        {
            return Ok(self.clone());
        }
        let tuned = self.tune(class)?;
        Ok(tuned
            .family()
            .map_or_else(|| self.clone(), |family| self.with_family(family)))
    }

    /// Measures every family for a class, and keeps what it finds.
    ///
    /// # Errors
    /// The device is lost or out of memory.
    pub fn tune(&self, class: TuningClass) -> Result<Tuned> {
        let loss = class.loss();
        let inputs = Inputs::new(loss.as_dyn(), [ROWS, CANDIDATES, class.dim])?;
        let families = self.families();
        // All families' kernels side by side, for compiling is what takes the time.
        let prepared: Vec<_> = (families.par_iter())
            .map(|&family| {
                let context = self.with_family(family);
                prepare(&context, loss.as_dyn(), &inputs, Want::BOTH)
            })
            .collect();
        prepared.into_iter().collect::<Result<()>>()?;
        let (mut times, mut fastest) = (Vec::new(), Duration::MAX);
        for family in families {
            let context = self.with_family(family);
            let (mut step, output) = Step::on(&context, loss.as_dyn(), &inputs, Want::BOTH)?;
            drop(output);
            if times.is_empty() {
                step.warm_up()?;
            }
            let mut runs = vec![step.run()?];
            while runs.len() < REPEATS && runs[0] / HOPELESS < fastest {
                runs.push(step.run()?);
            }
            let time = median(&runs);
            fastest = fastest.min(time);
            times.push((family, time));
        }
        times.sort_by_key(|(_, time)| *time);
        let tuned = Tuned { class, times };
        self.tuning.insert(tuned.clone());
        Ok(tuned)
    }

    /// What the table knows.
    #[must_use]
    pub fn tunings(&self) -> Vec<Tuned> {
        self.tuning.lock().values().cloned().collect()
    }

    fn with_family(&self, family: Family) -> Context {
        let options = ContextOptions {
            family: Some(family),
            ..self.options.clone()
        };
        self.with_options(&options)
    }
}
