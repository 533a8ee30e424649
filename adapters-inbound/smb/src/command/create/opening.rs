//! The call that opens: it waits for those who cache, and may be given up while it does.

use std::sync::Arc;

use dittofs_domain::error::FsError;
use dittofs_ports::{Caller, Entered, OpenFailure, OpenNameRequest, OpenRequest, OpenedName};
use dittofs_smb_wire::NtStatus;
use tokio::sync::oneshot;

use crate::{
    calls::{Call, CantWait},
    failure::Failure,
    link::Wait,
};

type Opened = Result<OpenedName, OpenFailure>;

/// Opens. Where somebody has to give rights up first, the client is told that the answer comes later.
///
/// # Errors
/// Those of the call; `CANCELLED`; `INSUFFICIENT_RESOURCES` where too many requests of the connection wait.
pub(super) async fn open(call: &Call, entered: &Entered, request: &OpenNameRequest) -> Result<OpenedName, Failure> {
    let waits = |waits| OpenNameRequest { open: OpenRequest { waits, ..request.open }, ..request.clone() };
    match start(entered, waits(false)).await {
        Ok(Err(OpenFailure::Failed(FsError::Busy))) => {}
        Ok(opened) => return opened.map_err(refused),
        Err(_) => return Err(NtStatus::INTERNAL_ERROR.into()),
    }
    let cancelled = call.wait(Wait::Bounded);
    let opening = start(entered, waits(true));
    let opened = match cancelled {
        Err(CantWait::Frame) => opening.await,
        Err(CantWait::TooMany) => return Err(NtStatus::INSUFFICIENT_RESOURCES.into()),
        Ok(cancelled) => tokio::select! {
            biased;
            opened = opening => opened,
            _ = cancelled => return Err(NtStatus::CANCELLED.into()),
        },
    };
    opened.map_err(|_| Failure::from(NtStatus::INTERNAL_ERROR))?.map_err(refused)
}

fn refused(failure: OpenFailure) -> Failure {
    match failure {
        // Those who cache got rights again and again.
        OpenFailure::Failed(FsError::Busy) => NtStatus::SHARING_VIOLATION.into(),
        // The directory has gone meanwhile.
        OpenFailure::Failed(FsError::Stale) => NtStatus::OBJECT_PATH_NOT_FOUND.into(),
        failure => failure.into(),
    }
}

/// Runs the call to its end, whatever becomes of its request: given up halfway, it could leave an open that nobody
/// closes. What nobody waits for any more is closed again.
fn start(entered: &Entered, request: OpenNameRequest) -> oneshot::Receiver<Opened> {
    let (done, opened) = oneshot::channel();
    let (share, caller) = (Arc::clone(&entered.share), entered.caller.clone());
    tokio::spawn(async move {
        let opened = share.open_name(&caller, &request).await;
        if let Err(Ok(OpenedName { opened, .. })) = done.send(opened) {
            let through = Caller { opener: Some(opened.token), ..caller };
            if let Err(error) = share.close(&through, opened.attributes.node, opened.token).await {
                tracing::debug!(node = %opened.attributes.node, %error, "an open that nobody wants is left");
            }
        }
    });
    opened
}
