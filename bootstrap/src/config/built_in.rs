//! The types of store that the program has by itself: one registration each.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dittofs_memory::{MemoryContentStore, MemoryMetadataStore};
#[cfg(feature = "azblob")]
use dittofs_object_store::{AzblobCredentials, AzblobOptions};
use dittofs_object_store::{FsOptions, ObjectStore, ObjectStoreOptions};
#[cfg(feature = "gcs")]
use dittofs_object_store::{GcsCredentials, GcsOptions};
#[cfg(feature = "s3")]
use dittofs_object_store::{S3Credentials, S3Options};
use dittofs_ports::{ContentStore, Survives};
use dittofs_postgres::{PostgresMetadataStore, PostgresOptions};
use dittofs_redb::{OpenError, Progress, RedbMetadataStore, RedbOptions};
use serde::Deserialize;

use super::kinds::{InFolder, NoOptions, Opening, StoreError, StoreKind, StoreKinds};
use super::size::ByteSize;

pub(super) fn register(none: StoreKinds) -> StoreKinds {
    let local = none
        .with_metadata(
            "memory",
            StoreKind::new(Survives::Nothing, async |_: NoOptions| Ok(Arc::new(MemoryMetadataStore::new()) as _)),
        )
        .with_metadata(
            "redb",
            StoreKind::in_folder(Survives::PowerLoss, async |options, opening| {
                Ok(Arc::new(open_redb(options, opening).await?) as _)
            }),
        )
        .with_metadata(
            "postgres",
            StoreKind::new(Survives::PowerLoss, async |options: PostgresOptions| {
                Ok(Arc::new(PostgresMetadataStore::open(&options).await?) as _)
            })
            .reading(|options: &PostgresOptions| {
                let files =
                    [("password_file", &options.password_file), ("root_certificate", &options.root_certificate)];
                files.into_iter().filter_map(|(option, path)| Some((option, path.clone()?))).collect()
            })
            // Whether it does, where nobody has said so, shows when it is opened.
            .surviving(|options: &PostgresOptions| match options.outlives_machine {
                Some(false) => Survives::PowerLoss,
                Some(true) | None => Survives::MachineLoss,
            }),
        )
        .with_content(
            "memory",
            StoreKind::new(Survives::Nothing, async |_: NoOptions| Ok(Arc::new(MemoryContentStore::new()) as _)),
        )
        .with_content(
            "fs",
            StoreKind::in_folder(Survives::PowerLoss, async |_: FolderOptions, opening| {
                open(ObjectStoreOptions::Fs(FsOptions::new(opening.folder))).await
            }),
        );
    register_remote(local)
}

/// The stores behind a network.
fn register_remote(kinds: StoreKinds) -> StoreKinds {
    #[cfg(feature = "s3")]
    let kinds = kinds.with_content(
        "s3",
        StoreKind::new(Survives::MachineLoss, async |options: S3Options| open(ObjectStoreOptions::S3(options)).await)
            .reading(|options: &S3Options| match &options.credentials {
                S3Credentials::File { path, .. } => vec![("credentials.path", path.clone())],
                _ => Vec::new(),
            }),
    );
    #[cfg(feature = "gcs")]
    let kinds = kinds.with_content(
        "gcs",
        StoreKind::new(Survives::MachineLoss, async |options: GcsOptions| open(ObjectStoreOptions::Gcs(options)).await)
            .reading(|options: &GcsOptions| match &options.credentials {
                GcsCredentials::File { path } => vec![("credentials.path", path.clone())],
                _ => Vec::new(),
            }),
    );
    #[cfg(feature = "azblob")]
    let kinds = kinds.with_content(
        "azblob",
        StoreKind::new(Survives::MachineLoss, async |options: AzblobOptions| {
            open(ObjectStoreOptions::Azblob(options)).await
        })
        .reading(|options: &AzblobOptions| match &options.credentials {
            AzblobCredentials::File { path } => vec![("credentials.path", path.clone())],
            _ => Vec::new(),
        }),
    );
    kinds
}

async fn open(options: ObjectStoreOptions) -> Result<Arc<dyn ContentStore>, StoreError> {
    Ok(Arc::new(ObjectStore::open(options).await?))
}

/// The options of a metadata store of type `redb`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedbStoreOptions {
    path: PathBuf,
    cache: Option<ByteSize>,
    row_cache: Option<ByteSize>,
}

/// The options of a content store of type `fs`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FolderOptions {
    path: PathBuf,
}

impl InFolder for RedbStoreOptions {
    fn folder(&self) -> &Path {
        &self.path
    }
}

impl InFolder for FolderOptions {
    fn folder(&self) -> &Path {
        &self.path
    }
}

/// Opens the database on a thread that may block: after a crash all of it may have to be checked.
async fn open_redb(options: RedbStoreOptions, opening: Opening) -> Result<RedbMetadataStore, StoreError> {
    let mut redb = RedbOptions::new(opening.folder);
    redb.accept_loss = opening.accept_loss;
    redb.progress = Progress::new(move |done, of| opening.progress.report(done, of));
    if let Some(cache) = options.cache {
        redb.cache_bytes = usize::try_from(cache.0)?;
    }
    if let Some(cache) = options.row_cache {
        redb.row_cache_bytes = usize::try_from(cache.0)?;
    }
    let opened = tokio::task::spawn_blocking(move || RedbMetadataStore::open(&redb)).await?;
    opened.map_err(|error| match &error {
        OpenError::LogMissing { .. } | OpenError::LogDamaged { .. } => {
            let accept = "here: `dittofs serve --accept-loss SHARE` for each share of this store";
            format!("{error} ({accept})").into()
        }
        _ => error.into(),
    })
}
