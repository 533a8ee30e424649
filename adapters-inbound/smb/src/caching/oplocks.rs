//! Oplocks, by the open that has each.

use std::collections::HashMap;

use dittofs_domain::opens::{OpenToken, Rights};

use super::{Holder, Told, notice::send_oplock_break};

/// An oplock.
struct Oplock {
    holder: Holder,
    /// Breaks that its client must not hear of before it hears of the open; none once it has.
    kept: Option<Vec<Rights>>,
}

/// All oplocks.
#[derive(Default)]
pub(super) struct Oplocks(HashMap<OpenToken, Oplock>);

impl Oplocks {
    pub(super) fn holders(&self) -> impl Iterator<Item = &Holder> {
        self.0.values().map(|oplock| &oplock.holder)
    }

    pub(super) fn add(&mut self, holder: Holder) {
        self.0.insert(holder.token, Oplock { holder, kept: Some(Vec::new()) });
    }

    pub(super) fn remove(&mut self, token: OpenToken) {
        self.0.remove(&token);
    }

    /// The client hears of the open: what was kept goes out behind that.
    pub(super) fn answered(&mut self, token: OpenToken) {
        let Some(oplock) = self.0.get_mut(&token) else { return };
        for to in oplock.kept.take().unwrap_or_default() {
            oplock.send(to);
        }
    }

    /// Tells the holder what it may keep. None if there is no such oplock.
    pub(super) fn tell(&mut self, token: OpenToken, to: Rights) -> Option<Told> {
        let oplock = self.0.get_mut(&token)?;
        if let Some(kept) = &mut oplock.kept {
            kept.push(to);
            return Some(Told::Yes);
        }
        Some(if oplock.send(to) { Told::Yes } else { Told::Unreachable(oplock.holder.clone()) })
    }
}

impl Oplock {
    fn send(&self, to: Rights) -> bool {
        let (Some(session), Some(open)) = (self.holder.session.upgrade(), self.holder.open.upgrade()) else {
            return false;
        };
        send_oplock_break(&session, &open, to)
    }
}
