//! How far training is: a bar on a terminal, lines elsewhere.

use crate::screen::Screen;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    cell::Cell,
    io::{IsTerminal, Write},
};
use wgloss::train::{EpochRecord, Event, Moved, Settings};

/// Shows progress: a bar on standard error if that is a terminal, or else a line per validation, on
/// standard output unless results there are to stand alone.
pub struct Progress {
    bar: Option<ProgressBar>,
    alone: bool,
    epochs: usize,
    select_at: usize,
    /// Epochs that were there before, and seconds that those since then took.
    before: usize,
    seconds: Cell<f64>,
}

impl Progress {
    /// Progress after `before` epochs under these settings; `alone` keeps standard output free.
    pub fn new(settings: &Settings, before: usize, alone: bool) -> Self {
        Progress {
            bar: std::io::stderr().is_terminal().then(bar),
            alone,
            epochs: settings.epochs,
            select_at: settings.select_at,
            before,
            seconds: Cell::new(0.0),
        }
    }

    /// Shows an event.
    pub fn show(&self, event: Event<'_>, screen: &mut Screen) {
        match event {
            Event::Step { epoch, step, steps } => {
                if let Some(bar) = &self.bar {
                    bar.set_length((self.epochs * steps) as u64);
                    bar.set_position(((epoch - 1) * steps + step) as u64);
                }
            }
            Event::Epoch(record) => self.show_epoch(record, screen),
        }
    }

    fn show_epoch(&self, record: &EpochRecord, screen: &mut Screen) {
        self.seconds.set(self.seconds.get() + record.times.total());
        // One line a validation is enough to follow 200 epochs in a log.
        let worth_a_line = record.validation.is_some() || self.epochs <= 10;
        let line = self.describe(record);
        match &self.bar {
            Some(bar) if worth_a_line => bar.println(line),
            Some(bar) => bar.set_message(line),
            None if !worth_a_line => {}
            // Training goes on where nobody can be told how far it is.
            None if self.alone => {
                let _ = writeln!(std::io::stderr().lock(), "{line}");
            }
            None => {
                let _ = screen.line(line);
            }
        }
    }

    fn describe(&self, record: &EpochRecord) -> String {
        let EpochRecord { epoch, loss, .. } = record;
        let epochs = self.epochs;
        let width = epochs.to_string().len();
        let mut line = format!("epoch {epoch:width$}/{epochs}  loss {loss:.5}");
        line += match record.moved {
            Moved::Model => "",
            Moved::Adversary => "  (adversary's)",
            Moved::Both => "  (adversary's before)",
        };
        if let Some(at) = record.validation {
            let k = self.select_at;
            line += &format!(
                "  validation Recall@{k} {:.4} NDCG@{k} {:.4}",
                at.recall, at.ndcg
            );
            line += if record.best { " *" } else { "  " };
        }
        let done = (epoch - self.before).max(1) as f64;
        let left = self.seconds.get() / done * (epochs - epoch) as f64;
        line + &format!("  {:.2} s, {} left", record.times.total(), duration(left))
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Seconds in the unit that one would say them in.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    // A template that does not parse would leave the default style, which works as well.
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent} %, {eta} left  {msg}") {
        bar.set_style(style);
    }
    bar
}
