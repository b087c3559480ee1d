//! The room of a band's task.

use crate::{
    Real,
    cpu::{beside::Gathered, stretch::Stretch},
};
use std::sync::{Mutex, PoisonError};

/// Room of one task.
pub(super) struct Room<R> {
    pub(super) tile: Vec<R>,
    pub(super) candidates: Vec<R>,
    /// Queries times their rows' factors.
    pub(super) queries: Vec<R>,
    pub(super) sums: Vec<R>,
    pub(super) gathered: Gathered<R>,
    pub(super) stretch: Stretch<R>,
}

impl<R: Real> Default for Room<R> {
    fn default() -> Self {
        Room {
            tile: Vec::new(),
            candidates: Vec::new(),
            queries: Vec::new(),
            sums: Vec::new(),
            gathered: Gathered::default(),
            stretch: Stretch::default(),
        }
    }
}

/// Rooms that no task is in, kept for the whole evaluation: as many as tasks ran at once. Rooms of each
/// task's own cost pages that the system clears, and holes between what is kept.
pub(in crate::cpu) struct Rooms<R>(Mutex<Vec<Room<R>>>);

impl<R> Default for Rooms<R> {
    fn default() -> Self {
        Rooms(Mutex::new(Vec::new()))
    }
}

impl<R: Real> Rooms<R> {
    /// Runs a task in a room.
    pub(super) fn run<T>(&self, task: impl FnOnce(&mut Room<R>) -> T) -> T {
        let free = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut room = free().pop().unwrap_or_default();
        let out = task(&mut room);
        free().push(room);
        out
    }
}
