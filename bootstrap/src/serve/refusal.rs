//! Why a share is not opened, in words that say what was found, what may be lost and what to do.

use dittofs_application::OpenError;
use dittofs_domain::ownership::Refusal;
use dittofs_journal::Damage;
use dittofs_ports::{JournalError, ShareMetadata};

use super::{journals::JournalRefusal, paths};
use crate::config::ShareConfig;

/// Files that a message names. Enough to see which; the rest is counted.
const FILES_NAMED_MAX: usize = 20;

/// A message.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ShareRefused(String);

/// For a journal that is missing, or that is another one.
pub(super) fn of_journal(refusal: JournalRefusal, share: &ShareConfig, dirty: bool) -> ShareRefused {
    let accept = accept(share, "begins a new journal and keeps what is there under another name");
    let found = refusal.to_string();
    ShareRefused(match refusal {
        JournalRefusal::Missing(_) | JournalRefusal::Unfit { .. } if dirty => format!(
            "{found}. The server was not stopped cleanly, so what clients wrote last may be only in the share's own \
             journal, and would be lost. Give the share its journal back (see journal.path; is its disk mounted?). {accept}"
        ),
        JournalRefusal::Missing(_) | JournalRefusal::Unfit { .. } => format!(
            "{found}. The server was stopped cleanly, so the share lacks nothing. Give it its journal back, or move away \
             what is there. {accept}"
        ),
        JournalRefusal::Closed { .. } | JournalRefusal::Metadata(_) | JournalRefusal::Folder { .. } => found,
    })
}

/// For a share that is to outlive this machine, whose metadata store does not.
pub(super) fn of_tier(share: &ShareConfig) -> ShareRefused {
    ShareRefused(format!(
        "`durability: remote` needs a metadata store that outlives its machine, and `{}` does not say that it does: have \
         PostgreSQL wait for a standby (synchronous_standby_names), or, if its disks outlive the machine, state \
         `outlives_machine: true` in the store's options; or write `durability: local`",
        share.metadata_store
    ))
}

/// For a share whose parts don't belong together, or are damaged.
pub(super) async fn of_opening(error: OpenError, share: &ShareConfig, metadata: &dyn ShareMetadata) -> ShareRefused {
    let found = error.to_string();
    ShareRefused(match error {
        OpenError::Journal(JournalError::Corrupt(source)) => match source.downcast_ref::<Damage>() {
            Some(damage) => of_damage(damage, share, metadata).await,
            None => found,
        },
        OpenError::ForeignJournal { .. } | OpenError::OlderJournal { .. } | OpenError::JournalBehind { .. } => format!(
            "{found}. What clients wrote last would be lost. {}",
            accept(share, "goes on with the journal that is there")
        ),
        OpenError::JournalLeft { .. } => format!(
            "{found}, or write `durability: local` again. {}",
            accept(share, "goes on without what is in the journal")
        ),
        OpenError::JournalAhead { .. } | OpenError::MetadataBehind { .. } => {
            format!("{found}. {}", of_older_metadata(share))
        }
        OpenError::NotOwner { refusal, .. } => of_owner(&found, &refusal, share),
        OpenError::Metadata(_) | OpenError::Journal(_) | OpenError::Content(_) | OpenError::OtherScale { .. } => found,
    })
}

fn of_owner(found: &str, refusal: &Refusal, share: &ShareConfig) -> String {
    let store = &share.content_store;
    match refusal {
        Refusal::Foreign(_) => format!(
            "{found}: see that the content store `{store}` is the one that the share was written with; another share's \
             objects are never used"
        ),
        Refusal::Gone => format!(
            "{found}: see that the content store `{store}` is the one that the share was written with, and that its disk \
             is mounted. Without it the content of the share's files is lost. {}",
            accept(share, "serves the share without it: what was in its files can't be read")
        ),
        Refusal::Ahead(_) => format!("{found}. {}", of_older_metadata(share)),
        Refusal::Older(_) => format!(
            "{found}. What was flushed since then is not in it, and would be lost. Give the share its newest content \
             store `{store}` back. {}",
            accept(share, "goes on with the objects that are there")
        ),
        Refusal::Locked(_) => format!(
            "{found}. Two servers on one content store would delete each other's objects, so this one does not start. If \
             this data folder is a copy, configure another content store for it; if that server is not to go on, stop it"
        ),
        Refusal::Living(_) => format!(
            "{found}. Two servers on one content store would delete each other's objects, so this one does not start. If \
             this data folder is a copy, configure another content store or prefix for it. If that server is not to go \
             on, stop it; if it can't be stopped, `dittofs serve --take-over {}` takes the objects from it: it stops \
             flushing, and what its clients wrote since the copy was made is lost",
            share.name
        ),
    }
}

fn of_older_metadata(share: &ShareConfig) -> String {
    format!(
        "Everything that was changed since the copy was made would be lost. Give the share its newest metadata store \
         `{}` back. {}; clients have to mount the share again",
        share.metadata_store,
        accept(share, "goes on from the metadata that are there")
    )
}

async fn of_damage(damage: &Damage, share: &ShareConfig, metadata: &dyn ShareMetadata) -> String {
    let files = paths::named(&damage.nodes, FILES_NAMED_MAX, metadata).await;
    let files = match files.is_empty() {
        true => "which files they are of is not known".to_owned(),
        false => format!("they are of {}", files.join(", ")),
    };
    format!(
        "{damage}, though they had been acknowledged; {files}. Put back the journal's folder from a copy if there is one. {}",
        accept(share, "goes on with what can be read, and names what is lost")
    )
}

fn accept(share: &ShareConfig, what: &str) -> String {
    format!("Only if there is no other way, `dittofs serve --accept-loss {}` {what}", share.name)
}
