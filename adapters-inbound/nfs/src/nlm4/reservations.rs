//! SHARE and UNSHARE: opens of DOS, which deny access to others.

use std::time::Instant;

use dittofs_domain::{
    access::AccessMask,
    error::{FsError, FsResult},
    opens::{Locking, OpenToken, ShareAccess},
};
use dittofs_ports::{Entered, OpenRequest, ShareChange};

use super::{
    claims::{By, Claim},
    locking::{LockManager, status},
    origin::Origin,
    wire::{fsh4_access, fsh4_mode, nlm4_share, nlm4_stats},
};

impl LockManager {
    /// NLM_SHARE: another one of the same owner takes the place of the first.
    pub(super) async fn share(&self, origin: &Origin, share: &nlm4_share) -> nlm4_stats {
        self.try_share(origin, share).await.unwrap_or_else(|refused| refused)
    }

    async fn try_share(&self, origin: &Origin, share: &nlm4_share) -> Result<nlm4_stats, nlm4_stats> {
        let entered = self.entry.enter(&share.fh.0, &origin.sender.presented).map_err(status)?;
        let claim = claim(share);
        let held = self.enter(origin, &claim)?;
        let mut serial = held.serial.lock().await;
        let reserved = match self.remember(origin, true).await {
            Ok(()) => match *serial {
                Some(open) => change(&entered, open, share).await.map(|()| open),
                None => reserve(&entered, share).await,
            },
            Err(error) => Err(error),
        };
        match reserved {
            Ok(open) => *serial = Some(open),
            // The open is gone with its share.
            Err(FsError::Stale) => *serial = None,
            Err(_) => {}
        }
        let locks = usize::from(serial.is_some());
        self.claims.leave(&origin.host(), &claim, Some(locks), Instant::now());
        drop(serial);
        reserved.map(|_| nlm4_stats::NLM4_GRANTED).map_err(status)
    }

    /// NLM_UNSHARE: there is no share afterwards, whether or not there was one.
    pub(super) async fn unshare(&self, origin: &Origin, share: &nlm4_share) -> nlm4_stats {
        let entered = match self.entry.enter(&share.fh.0, &origin.sender.presented) {
            Ok(entered) => entered,
            Err(error) => return status(error),
        };
        let (host, claim) = (origin.host(), claim(share));
        let Some(held) = self.claims.find(&host, &claim) else { return nlm4_stats::NLM4_GRANTED };
        let mut serial = held.serial.lock().await;
        let closed = match *serial {
            Some(open) => entered.share.close(&entered.caller, entered.node.node, open).await,
            None => Ok(()),
        };
        let closed = match closed {
            Err(FsError::Stale) => Ok(()),
            closed => closed,
        };
        if closed.is_ok() {
            *serial = None;
        }
        let locks = usize::from(serial.is_some());
        self.claims.leave(&host, &claim, Some(locks), Instant::now());
        drop(serial);
        closed.map_or_else(status, |()| nlm4_stats::NLM4_GRANTED)
    }
}

fn claim(share: &nlm4_share) -> Claim {
    Claim { file: share.fh.0.clone(), by: By::Share(share.oh.0.clone()) }
}

fn rights(access: fsh4_access) -> AccessMask {
    let (read, write) = (AccessMask::READ_DATA, AccessMask::WRITE_DATA | AccessMask::APPEND_DATA);
    match access {
        fsh4_access::fsa_NONE => AccessMask::empty(),
        fsh4_access::fsa_R => read,
        fsh4_access::fsa_W => write,
        fsh4_access::fsa_RW => read | write,
    }
}

fn deny(mode: fsh4_mode) -> ShareAccess {
    match mode {
        fsh4_mode::fsm_DN => ShareAccess::empty(),
        fsh4_mode::fsm_DR => ShareAccess::READ,
        fsh4_mode::fsm_DW => ShareAccess::WRITE,
        fsh4_mode::fsm_DRW => ShareAccess::READ | ShareAccess::WRITE,
    }
}

async fn reserve(entered: &Entered, share: &nlm4_share) -> FsResult<OpenToken> {
    let request = OpenRequest {
        rights: rights(share.access),
        deny: deny(share.mode),
        locking: Locking::Advisory,
        truncate: false,
        created: false,
        cache: None,
        waits: true,
    };
    Ok(entered.share.open(&entered.caller, entered.node.node, &request).await?.token)
}

async fn change(entered: &Entered, open: OpenToken, share: &nlm4_share) -> FsResult<()> {
    let change = ShareChange { rights: rights(share.access), deny: deny(share.mode), waits: true };
    entered.share.change_share(&entered.caller, entered.node.node, open, &change).await
}
