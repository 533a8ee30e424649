//! Working memory of the compressor, kept and used again: a few hundred KiB that are costly to make.

use parking_lot::Mutex;

/// So many are kept when nobody uses them. As many as blocks are compressed or read at once on a common machine; a
/// further one is made and dropped.
const IDLE_MAX: usize = 8;

pub(crate) struct Contexts<T> {
    idle: Mutex<Vec<T>>,
}

impl<T> Contexts<T> {
    pub(crate) fn new() -> Contexts<T> {
        Contexts { idle: Mutex::new(Vec::new()) }
    }

    /// Does something with a context; `make` makes one if none is idle.
    pub(crate) fn with<R>(&self, make: impl FnOnce() -> Option<T>, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        let idle = self.idle.lock().pop();
        let mut context = idle.or_else(make)?;
        let result = work(&mut context);
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_MAX {
            idle.push(context);
        }
        Some(result)
    }
}
