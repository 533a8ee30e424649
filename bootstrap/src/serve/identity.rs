//! Finds a share in its metadata store, or makes it there.

use std::sync::Arc;

use dittofs_application::Machine;
use dittofs_domain::{HandleKey, Node, ShareId};
use dittofs_ports::{MetadataError, MetadataStore, ShareMetadata, ShareRecord, Survives};

use super::{
    leftovers::{Leftover, Places, PlacesError},
    volumes::identity_policy,
};
use crate::{
    config::{Durability, ShareConfig},
    facts::{is_of, unnamed},
};

/// The mode of a new share's root directory: the same as that of a new file system.
const ROOT_MODE: u16 = 0o755;

/// Why a share is neither found nor made.
#[derive(Debug, thiserror::Error)]
pub(super) enum IdentityError {
    /// It may be one that had another name.
    #[error(
        "the metadata store `{store}` has no share of this name, but holds {unconfigured}, which the configuration does \
         not name. If one of them is this share under its old name: `dittofs share rename OLD {name}`. If {name} is to \
         be a new share beside them: give it an `id` of its own in the configuration, such as `id: {id}`"
    )]
    Unconfigured { store: String, unconfigured: String, name: String, id: u64 },
    /// The name is there, but not the id.
    #[error(
        "the metadata store `{store}` has a share of this name with the id {found}, but the configuration says \
         `id: {expected}`: write `id: {found}`, or another name"
    )]
    OtherId { store: String, found: u64, expected: u64 },
    /// The id is there, and so is the name, of two shares.
    #[error(
        "in the metadata store `{store}` the id {id} is that of {found}, and {name} is another share: write the name \
         or the id of one of them"
    )]
    TwoShares { store: String, id: u64, found: String, name: String },
    /// The store has lost it while it was looked for.
    #[error("the share {0} is not in its metadata store")]
    Gone(ShareId),
    /// Its metadata may be lost, or not mounted.
    #[error(
        "the metadata store `{store}` has no share {name}, but there are {found}, which no metadata store of the \
         configuration knows. If its metadata are on a disk that is not mounted, or in another folder, give them back; \
         with new metadata all of its files would be lost. Only if {name} is to begin with nothing: \
         `dittofs serve --accept-loss {name}`, which leaves what is there as it is, or an `id` of its own in the \
         configuration"
    )]
    Leftovers { store: String, name: String, found: String },
    #[error(transparent)]
    Places(#[from] PlacesError),
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// Finds a share by its id or its name; makes it where it is new for sure. `all` are the shares of the
/// configuration; `places` where something may be left of it, unless a loss is accepted.
pub(super) async fn find_or_make(
    share: &ShareConfig,
    all: &[ShareConfig],
    store: &dyn MetadataStore,
    places: Option<&Places<'_>>,
    machine: &Machine,
) -> Result<Arc<dyn ShareMetadata>, IdentityError> {
    let records = store.shares().await?;
    let found = records.iter().find(|record| is_of(record, share));
    let named = records.iter().find(|record| record.name == share.name);
    let id = match (found, named) {
        (Some(record), _) if record.name == share.name => record.id,
        (Some(record), None) => return renamed(record, share, store).await,
        (Some(record), Some(_)) => {
            let (store, name) = (share.metadata_store.clone(), share.name.clone());
            return Err(IdentityError::TwoShares { store, id: record.id.0, found: record.name.clone(), name });
        }
        (None, Some(record)) => {
            let (store, expected) = (share.metadata_store.clone(), share.id.unwrap_or_default());
            return Err(IdentityError::OtherId { store, found: record.id.0, expected });
        }
        (None, None) => {
            refuse_beside_unconfigured(share, all, &records, machine)?;
            // A share that never outlives the server can't be missing.
            if let Some(places) = places.filter(|_| store.survives() > Survives::Nothing) {
                refuse_beside_leftovers(share, places).await?;
            }
            make(share, store, machine).await?
        }
    };
    store.share(id).await?.ok_or(IdentityError::Gone(id))
}

/// The row of a share that is there.
pub(super) async fn find(share: &ShareConfig, store: &dyn MetadataStore) -> Result<Option<ShareRecord>, MetadataError> {
    Ok(store.shares().await?.into_iter().find(|record| is_of(record, share)))
}

/// A share that was renamed in the configuration must not come up empty. One in memory has nothing to lose but what
/// another one of this start has left there.
fn refuse_beside_unconfigured(
    share: &ShareConfig,
    all: &[ShareConfig],
    records: &[ShareRecord],
    machine: &Machine,
) -> Result<(), IdentityError> {
    let unconfigured: Vec<String> =
        unnamed(&share.metadata_store, records, all).into_iter().map(|share| share.name).collect();
    if unconfigured.is_empty() || share.id.is_some() || share.durability == Durability::None {
        return Ok(());
    }
    Err(IdentityError::Unconfigured {
        store: share.metadata_store.clone(),
        unconfigured: unconfigured.join(", "),
        name: share.name.clone(),
        id: new_id(machine),
    })
}

/// A share whose metadata are lost must not come up empty either.
async fn refuse_beside_leftovers(share: &ShareConfig, places: &Places<'_>) -> Result<(), IdentityError> {
    let found = places.leftovers(&share.name).await?;
    if found.is_empty() {
        return Ok(());
    }
    let found: Vec<String> = found.iter().map(Leftover::described).collect();
    let (store, name) = (share.metadata_store.clone(), share.name.clone());
    Err(IdentityError::Leftovers { store, name, found: found.join("; ") })
}

/// The configuration names the share by its id, and has another name for it now.
async fn renamed(
    record: &ShareRecord,
    share: &ShareConfig,
    store: &dyn MetadataStore,
) -> Result<Arc<dyn ShareMetadata>, IdentityError> {
    let metadata = store.share(record.id).await?.ok_or(IdentityError::Gone(record.id))?;
    metadata.put_record(&ShareRecord { name: share.name.clone(), ..record.clone() }).await?;
    tracing::info!(share = %share.name, from = %record.name, id = record.id.0, "renamed, as it is found by its id");
    Ok(metadata)
}

async fn make(share: &ShareConfig, store: &dyn MetadataStore, machine: &Machine) -> Result<ShareId, IdentityError> {
    let id = ShareId(share.id.unwrap_or_else(|| new_id(machine)));
    let record = ShareRecord {
        handle_key: HandleKey(machine.randomness.bits128().to_be_bytes()),
        content_owner: machine.randomness.bits128(),
        journal: if share.durability.keeps_a_journal() { machine.randomness.bits128() } else { 0 },
        ..ShareRecord::new(id, share.name.clone())
    };
    store.create_share(&record, &root(share, machine)).await?;
    tracing::info!(share = %share.name, id = record.id.0, "new share");
    Ok(record.id)
}

/// Of 63 bits, so that every YAML parser can carry it.
fn new_id(machine: &Machine) -> u64 {
    (machine.randomness.bits64() >> 1).max(1)
}

/// A new share's root directory. It belongs to what the root user becomes, who else could not put anything there.
fn root(share: &ShareConfig, machine: &Machine) -> Node {
    let identity = identity_policy(share);
    Node::root(identity.map_uid(0), identity.map_gid(0), ROOT_MODE, machine.clock.now())
}

#[cfg(test)]
mod tests;
