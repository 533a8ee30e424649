//! Gives a share another name, in its metadata store.

use std::io::{self, Write};

use dittofs_admin::ClientError;
use dittofs_ports::{MetadataError, ShareRecord};

use super::stored::{StoredError, StoredShares, is_running};
use crate::config::{Config, StoreKinds, fault_of_share_name};

/// Why a share is not renamed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RenameError {
    #[error("`{}` {fault}; write an absolute path, such as /export", name.escape_debug())]
    Name { name: String, fault: &'static str },
    #[error("a server runs on this data folder: stop it, rename the share, then start it with the new name")]
    Running,
    #[error("no metadata store of this configuration holds a share `{name}`; there: {known}")]
    Unknown { name: String, known: String },
    #[error("several metadata stores hold a share `{name}`: {stores}; leave one of them in the configuration")]
    Several { name: String, stores: String },
    #[error("there is a share `{0}` already")]
    Taken(String),
    #[error("the metadata store can't be changed: {0}")]
    Metadata(#[from] MetadataError),
    #[error(transparent)]
    Stored(#[from] StoredError),
    #[error(transparent)]
    Socket(#[from] ClientError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl RenameError {
    /// Whether the caller's words are at fault.
    pub(super) fn is_of_words(&self) -> bool {
        matches!(self, RenameError::Name { .. } | RenameError::Unknown { .. } | RenameError::Taken(_))
    }
}

/// Renames a share of a server that does not run.
pub(super) fn rename(
    old: &str,
    new: &str,
    config: &Config,
    kinds: &StoreKinds,
    out: &mut dyn Write,
) -> Result<(), RenameError> {
    if let Some(fault) = fault_of_share_name(new) {
        return Err(RenameError::Name { name: new.to_owned(), fault });
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if is_running(config).await? {
            return Err(RenameError::Running);
        }
        change(old, new, &StoredShares::open(config, kinds).await?).await
    })?;
    writeln!(out, "{old} is {new} now")?;
    match config.shares.iter().any(|share| share.name == new) {
        true => Ok(()),
        false => Ok(writeln!(out, "name it so in the configuration too, before the server is started again")?),
    }
}

async fn change(old: &str, new: &str, stored: &StoredShares) -> Result<(), RenameError> {
    let holds = |name: &str, shares: &[ShareRecord]| shares.iter().any(|record| record.name == name);
    let holders: Vec<_> = stored.stores.iter().filter(|store| holds(old, &store.shares)).collect();
    let [holder] = holders.as_slice() else {
        let name = old.to_owned();
        if holders.is_empty() {
            let records = stored.stores.iter().flat_map(|store| &store.shares);
            let known: Vec<&str> = records.map(|record| record.name.as_str()).collect();
            return Err(RenameError::Unknown { name, known: known.join(", ") });
        }
        let stores: Vec<&str> = holders.iter().map(|store| store.name.as_str()).collect();
        return Err(RenameError::Several { name, stores: stores.join(", ") });
    };
    if holds(new, &holder.shares) {
        return Err(RenameError::Taken(new.to_owned()));
    }
    for record in holder.shares.iter().filter(|record| record.name == old) {
        if let Some(share) = holder.store.share(record.id).await? {
            share.put_record(&ShareRecord { name: new.to_owned(), ..record.clone() }).await?;
        }
    }
    Ok(())
}
