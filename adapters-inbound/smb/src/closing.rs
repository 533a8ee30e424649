//! The end of opens, trees and sessions.

use std::sync::{Arc, atomic::Ordering};

use dittofs_domain::{
    error::{FsError, FsResult},
    opens::LeaseKey,
};
use dittofs_ports::Entered;

use crate::{
    audit::record_removal,
    caching::Holder,
    client::Client,
    durable::{detach_or_close, purge},
    open::{Open, OpenKind, OpenNode},
    server::Server,
    session::Session,
    tree::{Files, Tree, TreeKind},
};

/// Closes an open that nobody finds any more, once what goes through it is done.
pub(crate) async fn close_open(server: &Server, open: &Open) -> FsResult<()> {
    let (OpenKind::Node(node), TreeKind::Files(files)) = (&open.kind, &open.tree.kind) else { return Ok(()) };
    let _alone = node.in_use.close().await;
    let entered = files.enter_to_end(&*server.services.entry);
    close_node(server, (files, entered.as_ref().map_err(|_| FsError::Stale)), node).await
}

/// Closes a node, and marks it to be removed if this open was to do that. Without its share there is nothing to close
/// but what is noted here.
pub(crate) async fn close_node(
    server: &Server,
    (files, entered): (&Files, Result<&Entered, FsError>),
    open: &OpenNode,
) -> FsResult<()> {
    open.watching.end().await;
    let closed = match entered {
        Ok(entered) => {
            mark_deletion(files, entered, open).await;
            open.place.lock().leave();
            entered.share.close(&open.caller, open.node, open.token).await
        }
        Err(error) => Err(error),
    };
    if let Some(key) = &open.cache {
        server.caching.forget(key, open.token);
    }
    if let Some(client) = &open.keeps {
        leave(server, client).await;
    }
    closed
}

async fn mark_deletion(files: &Files, entered: &Entered, open: &OpenNode) {
    if !open.delete_on_close.load(Ordering::Acquire) {
        return;
    }
    let entry = open.place.lock().entry.clone();
    match entered.share.set_deletion(&open.caller, open.node, open.token, entry).await {
        Ok(_) => record_removal(files, open),
        Err(error) => tracing::debug!(node = %open.node, %error, "a file that was to go when it is closed stays"),
    }
}

/// Gives up the rights under a key whose holder can't be told that it may cache no longer.
pub(crate) async fn give_up(server: &Server, holder: &Holder, key: LeaseKey) {
    let Some(open) = holder.open.upgrade() else { return };
    if purge(server, &open).await {
        return;
    }
    let (OpenKind::Node(node), TreeKind::Files(files)) = (&open.kind, &open.tree.kind) else { return };
    if let Ok(entered) = files.enter_to_end(&*server.services.entry) {
        report(entered.share.return_lease(&node.caller, node.node, key).await.map(drop));
    }
}

/// Ends a session: closes all that it has open but what waits for its client, and forgets its client.
pub(crate) async fn close_session(server: &Arc<Server>, session: &Arc<Session>) {
    if !session.end() {
        return;
    }
    server.forget_session(session.id);
    for open in session.take_opens(None) {
        detach_or_close(server, open, &session.user()).await;
    }
    leave(server, &session.client).await;
}

/// One user less of a client.
async fn leave(server: &Server, client: &Client) {
    if server.clients.leave(client) {
        // Whatever a failure has left.
        report(server.services.entry.release_client(client.id()).await);
    }
}

/// Ends a tree of a session.
pub(crate) async fn close_tree(server: &Server, session: &Session, tree: &Tree) {
    for open in session.take_opens(Some(tree.id)) {
        report(close_open(server, &open).await);
    }
    session.remove_tree(tree.id);
}

pub(crate) fn report(closed: FsResult<()>) {
    if let Err(error) = closed.or_else(|error| if error == FsError::Stale { Ok(()) } else { Err(error) }) {
        tracing::debug!(%error, "a file could not be closed");
    }
}
