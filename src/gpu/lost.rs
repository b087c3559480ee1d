//! Noticing that a device was lost.
//!
//! wgpu keeps one callback per device and drops it when another takes its place, without calling
//! it. Every [`Context`](super::Context) on a device must notice all the same, so a callback that is
//! dropped while a context puts its own in its place hands over whom it would have told.

use std::{
    cell::RefCell,
    sync::{Arc, Mutex, OnceLock, Weak},
};

/// Why the device was lost, once it is.
pub(super) type Reason = Arc<OnceLock<String>>;

/// Those who are told; contexts that are gone need not be.
type Watchers = Vec<Weak<OnceLock<String>>>;

thread_local! {
    /// Whom replaced callbacks would have told, while one is being replaced on this thread.
    static HANDED_OVER: RefCell<Option<Watchers>> = const { RefCell::new(None) };
}

/// What the device holds.
struct Callback(Arc<Mutex<Watchers>>);

impl Callback {
    fn tell(&self, message: &str) {
        let Ok(watchers) = self.0.lock() else {
            return;
        };
        for reason in watchers.iter().filter_map(Weak::upgrade) {
            let _ = reason.set(message.into());
        }
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        // A thread that ends has no list any more, and nobody waits for it there.
        let _ = HANDED_OVER.try_with(|handed_over| {
            if let (Some(list), Ok(mut own)) = (&mut *handed_over.borrow_mut(), self.0.lock()) {
                list.append(&mut own);
            }
        });
    }
}

/// Has the device tell when it is lost, in addition to those it tells already.
pub(super) fn watch(device: &wgpu::Device) -> Reason {
    let reason = Reason::default();
    let watchers = Arc::new(Mutex::new(vec![Arc::downgrade(&reason)]));
    let callback = Callback(Arc::clone(&watchers));
    HANDED_OVER.set(Some(Vec::new()));
    device.set_device_lost_callback(move |why, message| callback.tell(&text(why, &message)));
    let before = HANDED_OVER.take().unwrap_or_default();
    if let Ok(mut watchers) = watchers.lock() {
        watchers.extend(before.into_iter().filter(|known| known.strong_count() > 0));
    }
    reason
}

fn text(why: wgpu::DeviceLostReason, message: &str) -> String {
    format!("{why:?}: {message}")
}
