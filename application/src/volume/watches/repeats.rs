//! Writes that watchers were told of and have not asked about since: telling them again would say nothing new.

use std::{collections::HashMap, time::Duration};

use dittofs_domain::{NodeId, watch::ChangeKinds};
use parking_lot::Mutex;

/// So long a file counts as told of. A watcher that may see it only now is told after that.
const PAUSE: Duration = Duration::from_millis(100);
/// Files that are remembered: as many as are written to at once. Beyond that, more is told than needed.
const FILES_MAX: usize = 256;

/// The files, and of which generation of watchers that is true.
#[derive(Debug, Default)]
pub(super) struct Repeats(Mutex<(u64, Told)>);

/// By file: of which kinds of change, and when.
type Told = HashMap<NodeId, (ChangeKinds, Duration)>;

impl Repeats {
    /// Whether all watchers of this generation have been told.
    pub(super) fn is_told(&self, file: NodeId, kinds: ChangeKinds, (generation, now): (u64, Duration)) -> bool {
        let told = self.0.lock();
        let is_recent = |at: Duration| now.saturating_sub(at) < PAUSE;
        told.0 == generation && told.1.get(&file).is_some_and(|(of, at)| of.contains(kinds) && is_recent(*at))
    }

    /// They have been, and the generation was this one before.
    pub(super) fn note(&self, file: NodeId, kinds: ChangeKinds, (generation, now): (u64, Duration)) {
        let mut told = self.0.lock();
        if told.0 != generation || told.1.len() >= FILES_MAX {
            *told = (generation, HashMap::new());
        }
        told.1.insert(file, (kinds, now));
    }
}

#[cfg(test)]
mod tests;
