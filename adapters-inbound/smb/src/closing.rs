//! The end of opens, trees and sessions.

use std::sync::Arc;

use dittofs_domain::error::{FsError, FsResult};
use dittofs_ports::Entered;

use crate::{
    open::{Open, OpenKind, OpenNode},
    server::Server,
    session::Session,
    tree::{Tree, TreeKind},
};

/// Closes an open that nobody finds any more, once what goes through it is done.
pub(crate) async fn close_open(server: &Server, tree: &Tree, open: &Open) -> FsResult<()> {
    let (OpenKind::Node(node), TreeKind::Files(files)) = (&open.kind, &tree.kind) else { return Ok(()) };
    let _alone = node.in_use.close().await;
    let entered = files.enter(&*server.services.entry).map_err(|_| FsError::Stale)?;
    close_node(&entered, node).await
}

/// Closes a node, and marks it to be removed if this open was to do that.
pub(crate) async fn close_node(entered: &Entered, open: &OpenNode) -> FsResult<()> {
    if open.delete_on_close.load(std::sync::atomic::Ordering::Acquire) {
        let entry = open.place.lock().entry.clone();
        let marked = entered.share.set_deletion(&open.caller, open.node, open.token, entry).await;
        if let Err(error) = marked {
            tracing::debug!(node = %open.node, %error, "a file that was to go when it is closed stays");
        }
    }
    entered.share.close(&open.caller, open.node, open.token).await
}

/// Ends a session: closes all that it has open, and forgets its client.
pub(crate) async fn close_session(server: &Server, session: &Arc<Session>) {
    session.end();
    server.forget_session(session.id);
    for open in session.take_opens(None) {
        if let Some(tree) = session.tree(open.tree) {
            report(close_open(server, &tree, &open).await);
        }
    }
    // Whatever a failure has left.
    report(server.services.entry.release_client(session.client()).await);
}

/// Ends a tree of a session.
pub(crate) async fn close_tree(server: &Server, session: &Session, tree: &Tree) {
    for open in session.take_opens(Some(tree.id)) {
        report(close_open(server, tree, &open).await);
    }
    session.remove_tree(tree.id);
}

fn report(closed: FsResult<()>) {
    if let Err(error) = closed.or_else(|error| if error == FsError::Stale { Ok(()) } else { Err(error) }) {
        tracing::debug!(%error, "a file could not be closed");
    }
}
