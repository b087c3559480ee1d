//! One feature per identity, kept between steps.

use super::is_class;
use crate::{
    Batch, Columns, Error, Matrix, Positives, Result,
    shape::{ABSENT, MAX_DIM},
};

/// The last feature of every identity: what sample-to-sample losses ([`Uss`](crate::loss::Uss))
/// compare a batch with. C × D numbers in f32, 0 where nothing was written.
///
/// A step reads the memory by [`SampleMemory::batch`], then writes its own features. Identities
/// that were never written are no columns. Features carry no gradient here: evaluate with
/// `Want { candidates: false, ..Want::BOTH }`.
///
/// Official code (UniTSFace) allocates its memory without filling it, compares with all of it, and
/// leaves open which row of a batch stays where a label repeats; here that is the last one. It
/// normalises what it stores; the losses' cosine makes that no difference.
///
/// On a device the table is an ordinary candidate table: upload [`SampleMemory::matrix`] once, then
/// copy a row per label (the last of each) into it after every step, and give
/// [`SampleMemory::written`] as shared columns until all identities are.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleMemory {
    classes: usize,
    dim: usize,
    features: Vec<f32>,
    /// Ascending.
    written: Vec<u32>,
}

impl SampleMemory {
    /// An empty memory for `classes` identities and features of `dim` numbers.
    ///
    /// # Errors
    /// [`Error::Shape`] for no classes, more than ids can name, or a width outside 1 to
    /// [`MAX_DIM`].
    pub fn new(classes: usize, dim: usize) -> Result<Self> {
        let shape = |argument, expected: String, actual: usize| Error::Shape {
            argument,
            expected,
            actual: actual.to_string(),
        };
        if !(1..=ABSENT as usize).contains(&classes) {
            let expected = format!("1 to {ABSENT} classes");
            return Err(shape("classes", expected, classes));
        }
        if !(1..=MAX_DIM).contains(&dim) {
            return Err(shape("dim", format!("a width of 1 to {MAX_DIM}"), dim));
        }
        Ok(SampleMemory {
            classes,
            dim,
            features: vec![0.0; classes * dim],
            written: Vec::new(),
        })
    }

    /// Writes row b of `features` for identity `labels[b]`; where a label repeats, its last row
    /// stays. Rows labelled [`IGNORED`](crate::IGNORED) or [`ABSENT`](crate::ABSENT) are left out.
    ///
    /// # Errors
    /// [`Error::Shape`] for features of another width or number than labels, [`Error::Id`] for a
    /// label that is no class; nothing is written then.
    pub fn write(&mut self, labels: &[u32], features: Matrix<'_>) -> Result<()> {
        let (rows, dim) = (labels.len(), self.dim);
        if (features.rows(), features.dim()) != (rows, dim) {
            return Err(Error::Shape {
                argument: "features",
                expected: format!("{rows} rows of {dim} numbers, one per label"),
                actual: format!("{} rows of {}", features.rows(), features.dim()),
            });
        }
        self.check_labels(labels)?;
        for (row, label) in labels.iter().enumerate().filter(|(_, l)| is_class(**l)) {
            let at = *label as usize * dim;
            features.read_row(row, &mut self.features[at..at + dim]);
        }
        self.mark(labels);
        Ok(())
    }

    fn mark(&mut self, labels: &[u32]) {
        let new = labels.iter().copied();
        let mut new: Vec<u32> = new
            .filter(|l| is_class(*l) && !self.is_written(*l))
            .collect();
        if !new.is_empty() {
            self.written.append(&mut new);
            // Two ascending runs at most after the first, which a stable sort merges.
            self.written.sort();
            self.written.dedup();
        }
    }

    fn check_labels(&self, labels: &[u32]) -> Result<()> {
        let outside = |label: &u32| is_class(*label) && *label as usize >= self.classes;
        match labels.iter().position(outside) {
            None => Ok(()),
            Some(at) => Err(Error::Id {
                argument: "labels",
                at,
                id: labels[at].into(),
                count: self.classes,
            }),
        }
    }

    /// Whether the identity has a feature here.
    #[must_use]
    pub fn is_written(&self, class: u32) -> bool {
        self.written.len() == self.classes && (class as usize) < self.classes
            || self.written.binary_search(&class).is_ok()
    }

    /// The identities that have a feature here, ascending.
    #[must_use]
    pub fn written(&self) -> &[u32] {
        &self.written
    }

    /// The table, C × D: row c is the feature of identity c, zeros where it was never written.
    ///
    /// # Errors
    /// [`Error::Shape`] where nothing was written yet.
    pub fn matrix(&self) -> Result<Matrix<'_>> {
        if self.written.is_empty() {
            return Err(Error::Shape {
                argument: "sample memory",
                expected: "features of at least one identity".into(),
                actual: "none: nothing was written yet".into(),
            });
        }
        Matrix::new("sample memory", &self.features, self.dim)
    }

    /// What a batch is compared with: all identities, or, until all are written, those that are.
    #[must_use]
    pub fn columns(&self) -> Columns<'_> {
        if self.written.len() == self.classes {
            return Columns::All;
        }
        Columns::Shared(&self.written)
    }

    /// Row b of `features`, of identity `labels[b]`, against the memory: its positive is what the
    /// memory holds of its own identity, its columns what it holds of others.
    ///
    /// # Errors
    /// [`Error::Shape`] where nothing was written yet, or nothing of the identity of a row; and as
    /// [`Batch::new`].
    pub fn batch<'a>(&'a self, features: Matrix<'a>, labels: &'a [u32]) -> Result<Batch<'a>> {
        let memory = self.matrix()?;
        self.check_labels(labels)?;
        let missing = |label: &u32| is_class(*label) && !self.is_written(*label);
        if let Some(row) = labels.iter().position(missing) {
            return Err(Error::Shape {
                argument: "sample memory",
                expected: format!("a feature of identity {}, labels[{row}]", labels[row]),
                actual: "none: it was never written".into(),
            });
        }
        Batch::new(features, memory, Positives::One(labels))?.columns(self.columns())
    }
}
