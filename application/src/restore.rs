//! A share comes back from a backup: its objects first, then its rows, and last the share itself.
//!
//! It is another share than the one that was backed up, which may live on beside it: it gets an owner of its objects,
//! a key of its handles and a lineage of its own, and its numbers go on far above all that were given. A restore that
//! does not end leaves no share; done again, it goes over what is there.

use std::sync::Arc;

use dittofs_domain::{
    Epoch, HandleKey, ShareId,
    ownership::{Holder, Lineage, Mark, Part, Refusal, Start},
};
use dittofs_ports::{
    BackupFolderError, BackupObserver, BackupPhase, BackupProgress, BackupReader, ContentError, ContentStore,
    MetadataError, MetadataStore, ObjectInBackup, ShareInBackup, ShareRecord,
};
use futures_util::{FutureExt, pin_mut, select_biased};

use crate::{
    backup::{ObjectError, whole_object},
    owned::{OwnedContent, Owner, described},
    volume::{Machine, STRIDE},
};

/// Where a share comes from, and where it goes.
#[derive(Clone)]
pub struct RestoreStores {
    /// The backup.
    pub backup: Arc<dyn BackupReader>,
    /// Where the objects are that it pins; none where it has them itself. It is only read.
    pub objects: Option<Arc<dyn ContentStore>>,
    /// Gets the rows.
    pub metadata: Arc<dyn MetadataStore>,
    /// Gets the objects.
    pub content: Arc<dyn ContentStore>,
}

/// Why a share is not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// It is there already.
    #[error(
        "the metadata store has the share {name} (id {id}) already: restore into stores that don't have it, or remove \
         that share first"
    )]
    IsThere {
        /// Its name there.
        name: String,
        /// Its id.
        id: ShareId,
    },
    /// There are objects of the share, and not of an unfinished restore.
    #[error(
        "the content store has objects of the share (id {id}){of}: restore into a content store, folder or prefix that \
         has none of it"
    )]
    HasObjects {
        /// Its id.
        id: ShareId,
        /// Whose they are, where that is known.
        of: String,
    },
    /// They can't be taken.
    #[error("the content store: {0}")]
    NotOwner(String),
    /// The backup pins its objects, and nobody said where they are.
    #[error(
        "the backup holds no objects, they were left in the content store of the share: name that store of the \
         configuration by --objects STORE"
    )]
    NoObjects,
    /// A pinned object is not there.
    #[error("object {object} is not in the store that --objects names: {source}; was the backup released?")]
    Pinned {
        /// The object.
        object: dittofs_domain::ObjectId,
        /// Why.
        source: ContentError,
    },
    /// The backup can't be read.
    #[error(transparent)]
    Backup(#[from] BackupFolderError),
    /// The metadata store failed.
    #[error("the metadata store: {0}")]
    Metadata(#[from] MetadataError),
    /// The content store failed.
    #[error("the content store: {0}")]
    Content(#[from] ContentError),
}

/// Restores a share of a backup. Nobody else uses the stores that it goes to.
///
/// # Errors
/// Then the share is not there; whatever was begun is taken over by the next try.
pub async fn restore_share(
    stores: &RestoreStores,
    share: &ShareInBackup,
    holder: Holder,
    machine: &Machine,
    observer: &dyn BackupObserver,
) -> Result<(), RestoreError> {
    if !stores.backup.manifest().holds_objects && stores.objects.is_none() {
        return Err(RestoreError::NoObjects);
    }
    let shares = stores.metadata.shares().await?;
    if let Some(known) = shares.into_iter().find(|known| known.id == share.id || known.name == share.name) {
        return Err(RestoreError::IsThere { name: known.name, id: known.id });
    }
    let (owner, mut lineage) = owner_of(stores, share, machine).await?;
    let start = Start { epoch: Epoch(share.epoch.0.saturating_add(1)), nonce: machine.randomness.bits64() };
    lineage.give(start);
    let owned = take(stores, share, (owner, start, lineage.clone()), holder, machine).await?;
    lineage.note(Part::Content, Some(start));
    let record = ShareRecord {
        handle_key: HandleKey(machine.randomness.bits128().to_be_bytes()),
        content_owner: owner,
        scale: share.scale,
        counts_names: share.counts_names,
        keys: share.keys.clone(),
        lineage,
        ..ShareRecord::new(share.id, share.name.clone())
    };
    let restored = restore_held(stores, share, &record, (&owned, machine, observer)).await;
    owned.release().await;
    restored
}

/// Whose the objects become: a new owner, or that of a restore of the same share which did not end.
async fn owner_of(
    stores: &RestoreStores,
    share: &ShareInBackup,
    machine: &Machine,
) -> Result<(u128, Lineage), RestoreError> {
    let found = stores.content.owner(share.id).await?.map(|found| found.mark);
    let mut lineage = Lineage::default();
    match found {
        Some(mark) if mark.is_of_restore(&share.name) => {
            lineage.note(Part::Content, mark.start);
            return Ok((mark.owner, lineage));
        }
        Some(mark) if !mark.is_nobodys() => {
            let of = format!(
                ", which belong to owner {:032x} ({}, last held on {} with the data folder {})",
                mark.owner, mark.share, mark.holder.host, mark.holder.folder
            );
            return Err(RestoreError::HasObjects { id: share.id, of });
        }
        _ => {}
    }
    if !stores.content.list(share.id, None, 1).await?.is_empty() {
        return Err(RestoreError::HasObjects { id: share.id, of: String::new() });
    }
    Ok((machine.randomness.bits128(), lineage))
}

async fn take(
    stores: &RestoreStores,
    share: &ShareInBackup,
    (owner, start, lineage): (u128, Start, Lineage),
    holder: Holder,
    machine: &Machine,
) -> Result<OwnedContent, RestoreError> {
    let claimant = Owner {
        share: share.id,
        name: Mark::name_while_restored(&share.name),
        owner,
        start,
        lineage,
        holder,
        must_be_there: false,
        takes_over: false,
    };
    let (clock, randomness) = (Arc::clone(&machine.clock), Arc::clone(&machine.randomness));
    let owned = OwnedContent::new(Arc::clone(&stores.content), claimant, clock, randomness);
    let taken: Result<(), Refusal> = owned.take().await?;
    taken.map_err(|refusal| RestoreError::NotOwner(described(&refusal, owner)))?;
    Ok(owned)
}

/// Restores while the lease of the objects is renewed.
async fn restore_held(
    stores: &RestoreStores,
    share: &ShareInBackup,
    record: &ShareRecord,
    (owned, machine, observer): (&OwnedContent, &Machine, &dyn BackupObserver),
) -> Result<(), RestoreError> {
    let hold = async {
        while let Some(wait) = owned.tend().await {
            owned.pause(wait).await;
        }
        // Every put is refused from now on, and its error says why.
        std::future::pending::<()>().await;
    }
    .fuse();
    let restore = async {
        put_objects(stores, share, (owned, machine, observer)).await?;
        put_rows(stores, share, observer).await?;
        Ok(stores.metadata.restore_share(record, STRIDE).await?)
    }
    .fuse();
    pin_mut!(hold, restore);
    select_biased! { restored = restore => restored, () = hold => Ok(()) }
}

async fn put_objects(
    stores: &RestoreStores,
    share: &ShareInBackup,
    (owned, machine, observer): (&OwnedContent, &Machine, &dyn BackupObserver),
) -> Result<(), RestoreError> {
    let of = share.objects.iter().map(|object| object.bytes).sum();
    let mut done = 0;
    for object in &share.objects {
        observer.progress(BackupProgress { phase: BackupPhase::Objects, done, of });
        let parts = match &stores.objects {
            Some(pinned) if !stores.backup.manifest().holds_objects => {
                pinned_object(&**pinned, share.id, object, machine).await?
            }
            _ => stores.backup.object(share.id, object).await?,
        };
        owned.put(share.id, object.id, parts).await?;
        done += object.bytes;
    }
    Ok(())
}

async fn pinned_object(
    pinned: &dyn ContentStore,
    share: ShareId,
    object: &ObjectInBackup,
    machine: &Machine,
) -> Result<Vec<bytes::Bytes>, RestoreError> {
    let parts = whole_object(pinned, share, (object.id, object.bytes), machine).await;
    parts.map_err(|ObjectError(source)| RestoreError::Pinned { object: object.id, source })
}

async fn put_rows(
    stores: &RestoreStores,
    share: &ShareInBackup,
    observer: &dyn BackupObserver,
) -> Result<(), RestoreError> {
    // Of a try that did not end.
    stores.metadata.remove_share(share.id).await?;
    let mut rows = stores.backup.rows(share).await?;
    let mut done = 0;
    loop {
        let page = rows.next().await?;
        if page.is_empty() {
            return Ok(());
        }
        done += page.len() as u64;
        stores.metadata.restore_rows(share.id, share.format.clone(), page).await?;
        observer.progress(BackupProgress { phase: BackupPhase::Rows, done, of: share.rows.rows });
    }
}
