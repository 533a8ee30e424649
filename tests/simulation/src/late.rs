//! Plans whose answer did not come, and which may still be applied: the session in which they run lives on. It is ended
//! before anything else is asked: only then is it decided whether they are applied.

use std::sync::Arc;

use dittofs_domain::{OpId, plan::Plan};
use parking_lot::Mutex;

/// A plan, and the operation that it carries out.
type Late = (Plan, Option<OpId>);

/// Those of all lives: the database outlives them.
#[derive(Clone, Default)]
pub(crate) struct LatePlans(Arc<Mutex<Vec<Late>>>);

impl LatePlans {
    pub(crate) fn add(&self, plan: Plan, op: Option<OpId>) {
        self.0.lock().push((plan, op));
    }

    /// Takes all, which are decided now.
    pub(crate) fn take(&self) -> Vec<Late> {
        std::mem::take(&mut self.0.lock())
    }
}
