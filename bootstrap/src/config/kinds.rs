//! Which types of store there are. The set is open: a program that embeds the server registers its own.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use dittofs_ports::{ContentStore, MetadataStore, Survives};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::built_in;
use super::options::{OptionsError, RawOptions};
use super::stores::Stores;
use crate::progress::Progress;

/// Why a store can't be opened.
pub type StoreError = Box<dyn std::error::Error + Send + Sync>;

/// The parameters with which a store is opened, beside its own options.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// Its folder, absolute; empty for a type of store that has none.
    pub folder: PathBuf,
    /// Hears how far it is, where that takes a while.
    pub progress: Progress,
    /// Whether to open it although what it acknowledged last is missing or damaged.
    pub accept_loss: bool,
}

/// The options of a store that keeps its files in a folder of its own.
pub trait InFolder {
    /// The folder as it was written; one that is relative is below the data folder.
    fn folder(&self) -> &Path;
}

type Check = dyn Fn(&RawOptions) -> Result<Option<PathBuf>, Vec<OptionsError>> + Send + Sync;
type Files = dyn Fn(&RawOptions) -> Vec<(&'static str, PathBuf)> + Send + Sync;
type Outlives = dyn Fn(&RawOptions) -> Survives + Send + Sync;
type Opened<P> = Pin<Box<dyn Future<Output = Result<Arc<P>, StoreError>> + Send>>;
type Open<P> = dyn Fn(&RawOptions, Opening) -> Opened<P> + Send + Sync;

/// One type of store: what it survives, its options, and how it is opened as a port `P`.
pub struct StoreKind<P: ?Sized> {
    pub(super) survives: Arc<Outlives>,
    pub(super) check: Arc<Check>,
    pub(super) files: Arc<Files>,
    open: Arc<Open<P>>,
}

impl<P: ?Sized + 'static> StoreKind<P> {
    /// A type whose options are read into `T`, and which is opened with them.
    #[must_use]
    pub fn new<T, F>(survives: Survives, open: impl Fn(T) -> F + Send + Sync + 'static) -> Self
    where
        T: DeserializeOwned + 'static,
        F: Future<Output = Result<Arc<P>, StoreError>> + Send + 'static,
    {
        Self::with(survives, |_: &T| None, move |options, _| open(options))
    }

    /// A type that keeps its files in a folder, which no other store may share.
    #[must_use]
    pub fn in_folder<T, F>(survives: Survives, open: impl Fn(T, Opening) -> F + Send + Sync + 'static) -> Self
    where
        T: DeserializeOwned + InFolder + 'static,
        F: Future<Output = Result<Arc<P>, StoreError>> + Send + 'static,
    {
        Self::with(survives, |options: &T| Some(options.folder().to_owned()), open)
    }

    fn with<T, F>(
        survives: Survives,
        folder: fn(&T) -> Option<PathBuf>,
        open: impl Fn(T, Opening) -> F + Send + Sync + 'static,
    ) -> Self
    where
        T: DeserializeOwned + 'static,
        F: Future<Output = Result<Arc<P>, StoreError>> + Send + 'static,
    {
        let check = move |options: &RawOptions| match options.read::<T>() {
            Ok(options) => Ok(folder(&options)),
            Err(_) => Err(options.faults::<T>()),
        };
        let open = move |options: &RawOptions, opening: Opening| -> Opened<P> {
            match options.read::<T>() {
                Ok(options) => Box::pin(open(options, opening)),
                Err(error) => Box::pin(async move { Err(error.found.into()) }),
            }
        };
        Self {
            survives: Arc::new(move |_| survives),
            check: Arc::new(check),
            files: Arc::new(|_| Vec::new()),
            open: Arc::new(open),
        }
    }

    /// The same; its options say what it may survive.
    #[must_use]
    pub fn surviving<T: DeserializeOwned + 'static>(mut self, survives: fn(&T) -> Survives) -> Self {
        let otherwise = Arc::clone(&self.survives);
        self.survives = Arc::new(move |options| match options.read::<T>() {
            Ok(read) => survives(&read),
            Err(_) => otherwise(options),
        });
        self
    }

    /// The same; its options name files that it reads, each by the option's name. Whoever checks a configuration hears
    /// if one can't be read.
    #[must_use]
    pub fn reading<T: DeserializeOwned + 'static>(mut self, files: fn(&T) -> Vec<(&'static str, PathBuf)>) -> Self {
        self.files = Arc::new(move |options| options.read::<T>().map(|options| files(&options)).unwrap_or_default());
        self
    }
}

impl<P: ?Sized> Clone for StoreKind<P> {
    fn clone(&self) -> Self {
        Self {
            survives: Arc::clone(&self.survives),
            check: Arc::clone(&self.check),
            files: Arc::clone(&self.files),
            open: Arc::clone(&self.open),
        }
    }
}

impl<P: ?Sized> fmt::Debug for StoreKind<P> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("StoreKind").finish_non_exhaustive()
    }
}

/// A store type that has no options.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}

/// The types of store that a program knows, by name.
#[derive(Clone, Debug)]
pub struct StoreKinds {
    /// Types that can stand under `metadata.stores`.
    pub metadata: BTreeMap<String, StoreKind<dyn MetadataStore>>,
    /// Types that can stand under `content.stores`.
    pub content: BTreeMap<String, StoreKind<dyn ContentStore>>,
}

impl StoreKinds {
    /// The types of store that this program has by itself.
    #[must_use]
    pub fn built_in() -> Self {
        built_in::register(Self { metadata: BTreeMap::new(), content: BTreeMap::new() })
    }

    /// These, and one more type of metadata store.
    #[must_use]
    pub fn with_metadata(mut self, name: &str, kind: StoreKind<dyn MetadataStore>) -> Self {
        self.metadata.insert(name.to_owned(), kind);
        self
    }

    /// These, and one more type of content store.
    #[must_use]
    pub fn with_content(mut self, name: &str, kind: StoreKind<dyn ContentStore>) -> Self {
        self.content.insert(name.to_owned(), kind);
        self
    }
}

/// Opens each of the named stores once.
///
/// # Errors
/// The name of the store that can't be opened, and why.
pub async fn open<P: ?Sized>(
    stores: &Stores,
    kinds: &BTreeMap<String, StoreKind<P>>,
) -> Result<BTreeMap<String, Arc<P>>, (String, StoreError)> {
    open_each(stores, kinds, |_| Opening::default()).await
}

/// The same, giving each store what stands in `opening` beside its folder.
pub(crate) async fn open_each<P: ?Sized>(
    stores: &Stores,
    kinds: &BTreeMap<String, StoreKind<P>>,
    opening: impl Fn(&str) -> Opening,
) -> Result<BTreeMap<String, Arc<P>>, (String, StoreError)> {
    let mut open = BTreeMap::new();
    for (name, store) in stores {
        let failed = |error| (name.clone(), error);
        let kind = kinds.get(&store.kind).ok_or_else(|| failed(format!("type {} is not known", store.kind).into()))?;
        let opening = Opening { folder: store.folder.clone().unwrap_or_default(), ..opening(name) };
        open.insert(name.clone(), (kind.open)(&store.options, opening).await.map_err(failed)?);
    }
    Ok(open)
}
