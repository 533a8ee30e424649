//! Changes of users that are logged on.
//!
//! A user is looked up again when it proves its password once more, and every minute or so: who is disabled or removed by
//! then is logged off, and other groups count for all that is opened from then on. An open keeps the rights that it was
//! granted, as everywhere in SMB.

use std::{collections::HashMap, sync::Arc};

use dittofs_ports::EntryService;
use dittofs_transport::Wish;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::{
    closing::{close_session, close_tree},
    server::Server,
    session::{Session, User},
    tree::{Files, TreeKind},
};

/// Looks all users of sessions up again and again, until the server has enough.
pub(crate) async fn renew_all(server: Arc<Server>, mut wish: watch::Receiver<Wish>) {
    let mut ticks = interval(server.options.limits.users);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = async { wish.wait_for(|wish| *wish != Wish::Run).await.map_or((), drop) } => return,
            _ = ticks.tick() => {}
        }
        let sessions = server.sessions();
        if sessions.is_empty() {
            continue;
        }
        let Some(users) = server.accounts.enabled().await else { continue };
        let by_name: HashMap<&str, &User> = users.iter().map(|user| (user.name.folded(), user)).collect();
        for session in sessions {
            let user = by_name.get(session.user().name.folded()).map(|user| User::clone(user));
            // Opens may take long to close, and nobody else's session has to wait for that.
            tokio::spawn(renew_or_end(Arc::clone(&server), session, user));
        }
    }
}

async fn renew_or_end(server: Arc<Server>, session: Arc<Session>, user: Option<User>) {
    match user {
        Some(user) => renew(&server, &session, user).await,
        None => {
            let user = session.user();
            tracing::info!(user = user.name.as_str(), "logged off: the user is disabled or removed");
            close_session(&server, &session).await;
        }
    }
}

/// Takes what has changed of a session's user. A share that the user may use no more, or otherwise, is closed: its client
/// finds out when it connects again.
pub(crate) async fn renew(server: &Server, session: &Session, user: User) {
    if session.user().credentials != user.credentials {
        session.set_user(user);
    }
    let user = session.user();
    for tree in session.trees() {
        let TreeKind::Files(files) = &tree.kind else { continue };
        files.set_credentials(&user.credentials);
        if !is_permitted_still(&*server.services.entry, files, &user) {
            tracing::info!(user = user.name.as_str(), share = %files.name, "what the user may do with the share has changed");
            close_tree(server, session, &tree).await;
        }
    }
}

fn is_permitted_still(entry: &dyn EntryService, files: &Files, user: &User) -> bool {
    // Requests find out for themselves that a share is served no more.
    let Ok(entered) = files.enter_to_end(entry) else { return true };
    let is_told = files.must_be_sealed || !entered.share.requires_encryption();
    is_told && files.permits(entered.share.permitted(&user.name, &user.credentials))
}
