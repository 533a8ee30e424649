//! Named stores, as configured.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;

use dittofs_ports::Survives;
use figment::value::Value;

use super::folders::Folders;
use super::kinds::StoreKind;
use super::options::{OptionsError, RawOptions};
use super::problem::Report;
use super::section::{Section, shown, structured};
use super::{Config, source};

/// A store as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreConfig {
    /// Its type, a name in [`StoreKinds`](super::StoreKinds).
    pub kind: String,
    /// The options that its type is given.
    pub options: RawOptions,
    /// The failures that its contents outlive.
    pub survives: Survives,
    /// Where its files are, absolute; none for one without files.
    pub folder: Option<PathBuf>,
    /// Files that it reads, such as one with credentials, each with the key that names it.
    pub files: Vec<(String, PathBuf)>,
}

/// Stores by their configured name.
pub type Stores = BTreeMap<String, StoreConfig>;

/// The stores below `metadata` or `content`.
#[derive(Debug, Default)]
pub(super) struct NamedStores {
    /// Those of which the type is known and the options fit.
    pub(super) sound: Stores,
    /// The names of the others, which have been refused: that a share names one is not a fault of the share.
    pub(super) refused: BTreeSet<String>,
}

/// Reads `metadata` or `content`.
pub(super) fn read<P: ?Sized>(
    mut section: Section<'_>,
    kinds: &BTreeMap<String, StoreKind<P>>,
    folders: &mut Folders<'_>,
) -> NamedStores {
    let mut named = section.take_section("stores");
    let mut stores = NamedStores::default();
    for (name, value) in named.take_all() {
        let entry = Section::from_value(named.key(&name), value, named.report());
        match read_one(entry, kinds, folders) {
            Some(store) => drop(stores.sound.insert(name, store)),
            None => drop(stores.refused.insert(name)),
        }
    }
    section.finish();
    stores
}

fn read_one<P: ?Sized>(
    mut section: Section<'_>,
    kinds: &BTreeMap<String, StoreKind<P>>,
    folders: &mut Folders<'_>,
) -> Option<StoreConfig> {
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
        Some(Value::Empty(..)) | None => RawOptions::none(),
        Some(options) => RawOptions(structured(options)),
    };
    for other in rest.keys() {
        let fix = format!("the options of this store stand below `{name}`");
        section.refuse(other, "this key is not known", fix);
    }
    let path = section.key(name);
    if !matches!(options.0, Value::Dict(..)) {
        section.report().refuse(&path, "is not a mapping", "put the options below it");
        return None;
    }
    match (entry.check)(&options) {
        Ok(folder) => {
            let folder = folder.and_then(|folder| folders.claim(&format!("{path}.path"), &folder));
            let files = (entry.files)(&options).into_iter();
            let files = files.map(|(option, file)| (format!("{path}.{option}"), file)).collect();
            let survives = (entry.survives)(&options);
            Some(StoreConfig { kind: name.clone(), options, survives, folder, files })
        }
        Err(faults) => {
            faults.into_iter().for_each(|fault| refuse_option(section.report(), &path, fault));
            None
        }
    }
}

/// Refuses an option of what stands at `path`.
pub(super) fn refuse_option(report: &Report, path: &str, error: OptionsError) {
    let key = match error.option.is_empty() {
        true => path.to_owned(),
        false => format!("{path}.{}", error.option),
    };
    report.refuse(&key, error.found, error.fix);
}

/// Describes the files that stores read and that can't be read, a line each.
pub(crate) fn unreadable_files(config: &Config) -> Vec<String> {
    let stores = config.metadata.values().chain(config.content.values());
    let files = stores.flat_map(|store| &store.files);
    let fault = |(key, file): &(String, PathBuf)| {
        let error = File::open(file).err()?;
        let (found, fix) = source::unreadable(&error);
        Some(format!("{key}: {} {found}; {fix}", file.display()))
    };
    files.filter_map(fault).collect()
}
