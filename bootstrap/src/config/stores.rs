//! Named stores. Which types of store exist is open: a program registers them in [`StoreKinds`].

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use dittofs_memory::{MemoryContentStore, MemoryMetadataStore};
use dittofs_ports::{ContentStore, MetadataStore, Survives};
use figment::error::Kind;
use figment::value::{Dict, Tag, Value};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::Report;
use super::section::{Section, shown};

/// The options of one store, in the shape that its own type knows. Debug shows their names only:
/// the values may be secret.
#[derive(Clone)]
pub struct StoreOptions(Value);

impl StoreOptions {
    /// Reads the options into the type's own struct, which should deny unknown fields.
    ///
    /// # Errors
    /// What the struct refuses, without the value.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, OptionsError> {
        self.0.deserialize().map_err(|error| told(&error))
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.as_dict().into_iter().flat_map(Dict::keys);
        out.debug_set().entries(names).finish()
    }
}

/// Why a store's options can't be read: the option and what is wrong, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionsError {
    /// The option, below the section of the type; empty for the section as a whole.
    pub option: String,
    /// What is wrong.
    pub found: String,
    /// What to write.
    pub mend: String,
}

type Check = dyn Fn(&StoreOptions) -> Result<(), OptionsError> + Send + Sync;
type Opening<P> = Pin<Box<dyn Future<Output = Result<Arc<P>, StoreError>> + Send>>;
type Open<P> = dyn Fn(&StoreOptions) -> Opening<P> + Send + Sync;

/// Why a store can't be opened.
pub type StoreError = Box<dyn std::error::Error + Send + Sync>;

/// One type of store: what it survives, its options, and how it is opened as a port `P`.
pub struct StoreKind<P: ?Sized> {
    survives: Survives,
    check: Arc<Check>,
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
        let check = |options: &StoreOptions| options.read::<T>().map(drop);
        let open = move |options: &StoreOptions| -> Opening<P> {
            match options.read::<T>() {
                Ok(options) => Box::pin(open(options)),
                Err(error) => Box::pin(async move { Err(error.found.into()) }),
            }
        };
        Self { survives, check: Arc::new(check), open: Arc::new(open) }
    }
}

impl<P: ?Sized> Clone for StoreKind<P> {
    fn clone(&self) -> Self {
        Self { survives: self.survives, check: Arc::clone(&self.check), open: Arc::clone(&self.open) }
    }
}

impl<P: ?Sized> fmt::Debug for StoreKind<P> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("StoreKind").field("survives", &self.survives).finish_non_exhaustive()
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
    /// What this program has by itself.
    #[must_use]
    pub fn built_in() -> Self {
        let none = Self { metadata: BTreeMap::new(), content: BTreeMap::new() };
        none.with_metadata(
            "memory",
            StoreKind::new(Survives::Nothing, async |_: NoOptions| Ok(Arc::new(MemoryMetadataStore::new()) as _)),
        )
        .with_content(
            "memory",
            StoreKind::new(Survives::Nothing, async |_: NoOptions| Ok(Arc::new(MemoryContentStore::new()) as _)),
        )
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
    let mut open = BTreeMap::new();
    for (name, store) in stores {
        let failed = |error| (name.clone(), error);
        let kind = kinds.get(&store.kind).ok_or_else(|| failed(format!("type {} is not known", store.kind).into()))?;
        open.insert(name.clone(), (kind.open)(&store.options).await.map_err(failed)?);
    }
    Ok(open)
}

/// A store as configured.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Its type, a name in [`StoreKinds`].
    pub kind: String,
    /// What its type is told.
    pub options: StoreOptions,
    /// What its contents outlive.
    pub survives: Survives,
}

/// Stores by their configured name.
pub type Stores = BTreeMap<String, StoreConfig>;

/// Reads `metadata` or `content`, with the stores of which the type is known and the options fit.
pub(super) fn read<P: ?Sized>(mut section: Section<'_>, kinds: &BTreeMap<String, StoreKind<P>>) -> Stores {
    let mut named = section.take_section("stores");
    let mut stores = Stores::new();
    for (name, value) in named.take_all() {
        let entry = Section::from_value(named.key(&name), value, named.report());
        if let Some(store) = read_one(entry, kinds) {
            stores.insert(name, store);
        }
    }
    section.finish();
    stores
}

fn read_one<P: ?Sized>(mut section: Section<'_>, kinds: &BTreeMap<String, StoreKind<P>>) -> Option<StoreConfig> {
    let known: Vec<&str> = kinds.keys().map(String::as_str).collect();
    let known = known.join(", ");
    let Some(kind) = section.take("type") else {
        section.refuse("type", "is missing", format!("name a type; known: {known}"));
        return None;
    };
    let Some((name, entry)) = kind.as_str().and_then(|name| kinds.get_key_value(name)) else {
        let found = format!("type {} is not known here", shown(&kind));
        section.refuse("type", found, format!("known: {known}"));
        return None;
    };
    let mut rest = section.take_all();
    let options = match rest.remove(name) {
        Some(Value::Empty(..)) | None => Value::Dict(Tag::Default, Dict::new()),
        Some(options) => options,
    };
    for other in rest.keys() {
        let mend = format!("the options of this store stand below `{name}`");
        section.refuse(other, "this key is not known", mend);
    }
    let options = StoreOptions(options);
    let path = section.key(name);
    if !matches!(options.0, Value::Dict(..)) {
        section.report().refuse(&path, "is not a mapping", "put the options below it");
        return None;
    }
    match (entry.check)(&options) {
        Ok(()) => Some(StoreConfig { kind: name.clone(), options, survives: entry.survives }),
        Err(error) => {
            refuse_options(section.report(), &path, error);
            None
        }
    }
}

fn refuse_options(report: &Report, path: &str, error: OptionsError) {
    let key = match error.option.is_empty() {
        true => path.to_owned(),
        false => format!("{path}.{}", error.option),
    };
    report.refuse(&key, error.found, error.mend);
}

/// Tells what figment found without quoting a value.
fn told(error: &figment::Error) -> OptionsError {
    let mut path = error.path.clone();
    let list = |names: &[&str]| match names {
        [] => "this type of store has no such option: leave it out".to_owned(),
        names => format!("known here: {}", names.join(", ")),
    };
    let (found, mend) = match &error.kind {
        // The path leads to the unknown field already.
        Kind::UnknownField(_, known) => ("this key is not known".to_owned(), list(known)),
        Kind::MissingField(field) => {
            path.push(field.clone().into_owned());
            ("is missing".to_owned(), "give it a value".to_owned())
        }
        Kind::UnknownVariant(_, known) => ("is not one of the words known".to_owned(), list(known)),
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => {
            ("has a value that does not fit".to_owned(), format!("write {expected}"))
        }
        _ => ("has a value that can't be read".to_owned(), "see the documentation of this type of store".to_owned()),
    };
    OptionsError { option: path.join("."), found, mend }
}
