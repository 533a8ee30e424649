//! Break notifications as messages (MS-SMB2, 2.2.23). They answer no request, and are never signed.

use std::sync::{Arc, atomic::Ordering};

use dittofs_domain::opens::Rights;
use dittofs_smb_wire::{
    Header, NtStatus, OutgoingMessage, Response,
    create::{LeaseState, OplockLevel},
    identifiers::LeaseKey,
    oplock_break::{LeaseBreakFlags, LeaseBreakNotification, OplockBreak},
};

use crate::{
    calls::{Answer, frame_of},
    link::{Frame, Link},
    open::Open,
    session::Session,
};

/// The level of an oplock with these rights.
pub(crate) fn level(rights: Rights) -> OplockLevel {
    match rights {
        rights if rights.contains(Rights::WRITE | Rights::HANDLE) => OplockLevel::BATCH,
        rights if rights.contains(Rights::WRITE) => OplockLevel::EXCLUSIVE,
        rights if rights.contains(Rights::READ) => OplockLevel::LEVEL_II,
        _ => OplockLevel::NONE,
    }
}

/// The state of a lease with these rights: their bits are the same.
pub(crate) fn lease_state(rights: Rights) -> LeaseState {
    LeaseState::from_bits_retain(u32::from(rights.bits()))
}

/// A break of a lease.
pub(super) struct LeaseNotice {
    pub(super) key: LeaseKey,
    /// Zero for a lease of version 1.
    pub(super) epoch: u16,
    pub(super) from: Rights,
    pub(super) to: Rights,
    /// Whether it has to be acknowledged.
    pub(super) is_asked: bool,
}

impl LeaseNotice {
    /// Sends it to a client. It is never sealed, as the lease is of no session (3.3.4.7). Returns whether there is a
    /// connection.
    pub(super) fn send(&self, session: &Session) -> bool {
        let body = LeaseBreakNotification {
            new_epoch: self.epoch,
            flags: if self.is_asked { LeaseBreakFlags::ACK_REQUIRED } else { LeaseBreakFlags::empty() },
            lease_key: self.key,
            current_lease_state: lease_state(self.from),
            new_lease_state: lease_state(self.to),
        };
        // The client's oldest connection, as with Windows: whatever session that has.
        !session.is_over() && send(&session.client.links(), &Response::LeaseBreakNotification(body), None)
    }
}

/// Sends the break of an oplock, sealed where its session or its tree must be (3.3.4.6). Returns whether there is a
/// connection.
pub(super) fn send_oplock_break(session: &Arc<Session>, open: &Open, to: Rights) -> bool {
    let body = OplockBreak { oplock_level: level(to), file_id: open.id };
    // One that has ended may have connections still.
    let links = if session.is_over() { Vec::new() } else { session.channels.links() };
    let must_be_sealed = session.keys.must_be_sealed || open.tree.must_be_sealed();
    send(&links, &Response::OplockBreak(body), must_be_sealed.then_some(session))
}

/// Sends a message on the first connection that is not over.
fn send(links: &[Arc<Link>], body: &Response, sealed: Option<&Arc<Session>>) -> bool {
    links.iter().filter(|link| !link.is_over.load(Ordering::Acquire)).any(|link| {
        let message = OutgoingMessage::new(&Header::break_notification(), body);
        let frame = frame_of(vec![Answer { status: NtStatus::SUCCESS, message, signed_by: None }], sealed);
        frame.is_some_and(|frame| link.outbox.send(Frame { is_notice: true, ..frame }).is_ok())
    })
}
