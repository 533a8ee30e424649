//! The configuration: read from YAML and the environment, and refused as a whole unless every
//! word of it is understood, fits the rest, and is acted upon.

mod access;
mod adapters;
mod built_in;
mod changes;
mod clients;
mod durability;
mod encryption;
mod environment;
mod folders;
mod kinds;
mod log;
mod option_values;
mod options;
mod problem;
mod protocols;
mod section;
mod share_encryption;
mod shares;
mod short_names;
mod size;
mod source;
mod stores;
mod tree;
mod users;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use dittofs_application::VolumeLimits;
use figment::value::{Dict, Value};

pub use access::permitted_word;
pub use adapters::{Adapters, AdminConfig, SharedLimits};
pub(crate) use changes::Changes;
pub use durability::Durability;
pub use encryption::EncryptionConfig;
pub use environment::PREFIX;
pub(crate) use folders::{CONTROL_SOCKET, control_socket};
pub(crate) use kinds::open_each as open_each_store;
pub use kinds::{InFolder, NoOptions, Opening, StoreError, StoreKind, StoreKinds, open as open_stores};
pub use log::{LogConfig, LogFormat, LogLevel, LogLevels};
pub use options::{OptionsError, RawOptions};
pub use problem::{ConfigError, Problem};
pub(crate) use protocols::Running;
pub use protocols::{ProtocolConfig, ProtocolKind, Protocols};
pub use share_encryption::smb_encryption_word;
pub use shares::{QuotaConfig, ShareConfig, atime_word, compression_word, squash_word};
pub(crate) use shares::{fault_of as fault_of_share_name, overlap as shares_overlap};
pub use size::ByteSize;
pub use source::{SAMPLE, load, load_on};
pub(crate) use stores::unreadable_files;
pub use stores::{StoreConfig, Stores};
pub use users::UsersConfig;

use folders::{Folders, Surroundings};
use problem::Report;
use section::Section;

/// A configuration that holds together: every store that a share names exists, no two shares
/// overlap, and every durability can be given.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder of the server, absolute: a lock, its socket, and whatever has a relative path. None where nothing is
    /// kept and none was named.
    pub data: Option<PathBuf>,
    /// Metadata stores by name.
    pub metadata: Stores,
    /// Content stores by name.
    pub content: Stores,
    /// The journal, over all shares.
    pub journal: JournalConfig,
    /// The cache of content, over all shares.
    pub cache: CacheConfig,
    /// Where the users of the server are kept.
    pub users: UsersConfig,
    /// The shares; at least one.
    pub shares: Vec<ShareConfig>,
    /// How long clients may take their locks again after a restart, before others get any.
    pub grace: Duration,
    /// The adapters by which clients reach them.
    pub adapters: Adapters,
    /// The options of the log.
    pub log: LogConfig,
}

/// Where bytes are that are written but not yet flushed, and how many they may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// The sum over all shares.
    pub size: ByteSize,
    /// The folder of the shares' journals, absolute; none where no share keeps a journal.
    pub path: Option<PathBuf>,
}

/// The bounds of content that is kept for reading again, or read ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// The sum over all shares.
    pub memory: ByteSize,
    /// Bytes that are fetched ahead of readers, over all shares.
    pub readahead: ByteSize,
    /// The additional cache on a disk, if there is one.
    pub disk: Option<DiskCacheConfig>,
}

/// The section `cache.disk`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskCacheConfig {
    /// The folder, absolute.
    pub path: PathBuf,
    /// Bytes that its files may take.
    pub size: ByteSize,
}

const MIB: u64 = 1 << 20;
/// Clients are told within a second, and Linux then asks for its locks at once; some need their names looked up first.
const GRACE_DEFAULT: Duration = Duration::from_secs(45);
/// The clients with locks, below the data folder.
const LOCK_CLIENTS: &str = "lock-clients";
/// A journal must hold a few transfers of 1 MiB, or no write could ever be admitted.
const JOURNAL_MIN: ByteSize = ByteSize(16 * MIB);
/// Below the data folder.
const JOURNAL_PATH: &str = "journal";
/// In memory; on a disk there is room for longer bursts.
const JOURNAL_DEFAULT: ByteSize = ByteSize(VolumeLimits::USUAL.unflushed_bytes_max);
/// Several bursts of a gigabyte before writers wait, and hardly noticed on a disk of today.
const JOURNAL_ON_DISK_DEFAULT: ByteSize = ByteSize(4096 * MIB);
/// A transfer.
const CACHE_MIN: ByteSize = ByteSize(MIB);
/// The memory that a small machine can spare. An operator with more memory configures more.
const CACHE_DEFAULT: ByteSize = ByteSize(512 * MIB);
/// A transfer.
const READAHEAD_MIN: ByteSize = ByteSize(MIB);
const READAHEAD_DEFAULT: ByteSize = ByteSize(VolumeLimits::USUAL.readahead_bytes_max);
/// Below the data folder.
const DISK_CACHE_PATH: &str = "cache";
const DISK_CACHE_MIN: ByteSize = ByteSize(dittofs_block_cache::DiskCacheOptions::BYTES_MIN);
/// Twenty times the cache in memory, and little of a disk.
const DISK_CACHE_DEFAULT: ByteSize = ByteSize(10 * 1024 * MIB);

impl Config {
    /// Where the clients with locks are kept; none where nothing is.
    pub(crate) fn lock_clients(&self) -> Option<PathBuf> {
        Some(self.data.as_ref()?.join(LOCK_CLIENTS))
    }

    /// The shares whose files are gone when the server stops.
    pub fn shares_in_memory(&self) -> impl Iterator<Item = &ShareConfig> {
        self.shares.iter().filter(|share| share.durability == Durability::None)
    }

    /// Every file and folder that is named, or stands for a name that is not.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        let stores = self.metadata.values().chain(self.content.values());
        let stores = stores.filter_map(|store| store.folder.as_deref());
        let keys = self.shares.iter().filter_map(|share| Some(share.encryption.as_ref()?.key_file.as_path()));
        let cache = self.cache.disk.as_ref().map(|disk| disk.path.as_path());
        let (journal, audit) = (self.journal.path.as_deref(), self.log.audit.as_deref());
        let keys = keys.chain(self.users.key_file.as_deref());
        stores.chain(keys).chain(cache).chain(journal).chain(audit).collect()
    }

    /// Returns facts about this configuration that one might not expect, a line each.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        self.shares_in_memory()
            .map(|share| format!("{} is in memory: its files are gone when the server stops", share.name))
            .collect()
    }
}

/// The inputs beside the tree itself.
struct Given<'a> {
    kinds: &'a StoreKinds,
    protocols: &'a Protocols,
    /// The data folder, which wins over the key `data`.
    data: Option<&'a Path>,
    surroundings: Surroundings,
}

/// The section of the protocol whose clients know shares by one word.
const SMB: &str = "smb";

fn read_grace(mut section: Section<'_>) -> Duration {
    let seconds = section.take_number("grace_seconds", 1..=600);
    section.finish();
    seconds.map_or(GRACE_DEFAULT, Duration::from_secs)
}

/// Reads the whole tree; `None` when the report has a problem.
fn read(tree: Dict, given: &Given<'_>, report: &Report) -> Option<Config> {
    let mut root = Section::new(String::new(), tree, report);
    let data = root.take_text("data").map(PathBuf::from);
    let mut folders = Folders::new(given.data.or(data.as_deref()), &given.surroundings, report);
    let metadata = stores::read(root.take_section("metadata"), &given.kinds.metadata, &mut folders);
    let content = stores::read(root.take_section("content"), &given.kinds.content, &mut folders);
    let journal = root.take_section("journal");
    let cache = root.take_section("cache");
    let absent = !root.has("shares");
    let shares = root.take_list("shares").or_else(|| absent.then(Vec::new));
    let shares = shares.map(|items| shares::read(items, &metadata, &content, &folders, report)).unwrap_or_default();
    let system_store = users::read_store(&mut root, &metadata, &shares);
    let journal = read_journal(journal, &shares, &mut folders);
    let cache = read_cache(cache, &mut folders);
    let grace = read_grace(root.take_section("locks"));
    let adapters = adapters::read(root.take_section("adapters"), given.protocols);
    if adapters.protocols.iter().any(|(name, _)| name == SMB) {
        short_names::check(&shares, report);
    }
    share_encryption::check(&shares, &adapters, report);
    let log = log::read(root.take_section("log"), &folders);
    let users = users::read(root.take_section("users"), system_store, &folders);
    root.finish();
    let data = folders.data();
    let (metadata, content) = (metadata.sound, content.sound);
    report.is_clean().then_some(Config { data, metadata, content, users, journal, cache, shares, grace, adapters, log })
}

/// Where neither stores nor shares are named, the server still serves something.
fn with_default_share(mut tree: Dict) -> Dict {
    const KEYS: [&str; 3] = ["metadata", "content", "shares"];
    if KEYS.iter().any(|key| tree.contains_key(*key)) {
        return tree;
    }
    let dict = |entries: &[(&str, Value)]| -> Value {
        entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect::<Dict>().into()
    };
    let stores = |kind: &str, path: &str| {
        let store = dict(&[("type", kind.into()), (kind, dict(&[("path", path.into())]))]);
        dict(&[("stores", dict(&[("local", store)]))])
    };
    // Only this machine is admitted, and its root user needs no server to read what is in its own folder.
    let share = [("name", "/export"), ("metadata_store", "local"), ("content_store", "local"), ("squash", "none")];
    let share = dict(&share.map(|(key, text)| (key, text.into())));
    tree.insert("metadata".to_owned(), stores("redb", "metadata"));
    tree.insert("content".to_owned(), stores("fs", "content"));
    tree.insert("shares".to_owned(), Value::from(vec![share]));
    tree
}

fn read_journal(mut section: Section<'_>, shares: &[ShareConfig], folders: &mut Folders<'_>) -> JournalConfig {
    let is_needed = shares.iter().any(|share| share.durability.keeps_a_journal());
    let default = if is_needed { JOURNAL_ON_DISK_DEFAULT } else { JOURNAL_DEFAULT };
    let size = read_bound(&mut section, "size", JOURNAL_MIN).unwrap_or(default);
    // A share that is refused may have been the one that needs it.
    if !is_needed && section.report().is_clean() && section.has("path") {
        section.refuse("path", "no share keeps a journal: nothing would be put there", "leave this key out");
    }
    let path = section.take_text("path").unwrap_or_else(|| JOURNAL_PATH.to_owned());
    let path = is_needed.then(|| folders.claim(&section.key("path"), Path::new(&path))).flatten();
    section.finish();
    JournalConfig { size, path }
}

fn read_cache(mut section: Section<'_>, folders: &mut Folders<'_>) -> CacheConfig {
    let memory = read_bound(&mut section, "memory", CACHE_MIN).unwrap_or(CACHE_DEFAULT);
    let readahead = read_bound(&mut section, "readahead", READAHEAD_MIN).unwrap_or(READAHEAD_DEFAULT);
    let disk = section.has("disk").then(|| read_disk_cache(section.take_section("disk"), folders)).flatten();
    section.finish();
    CacheConfig { memory, readahead, disk }
}

fn read_disk_cache(mut section: Section<'_>, folders: &mut Folders<'_>) -> Option<DiskCacheConfig> {
    let size = read_bound(&mut section, "size", DISK_CACHE_MIN).unwrap_or(DISK_CACHE_DEFAULT);
    let path = section.take_text("path").unwrap_or_else(|| DISK_CACHE_PATH.to_owned());
    let path = folders.claim(&section.key("path"), Path::new(&path));
    section.finish();
    Some(DiskCacheConfig { path: path?, size })
}

fn read_bound(section: &mut Section<'_>, name: &'static str, min: ByteSize) -> Option<ByteSize> {
    let fix = format!("write a size of at least {min}, such as 512MiB or 4GiB");
    let size: ByteSize = section.take_parsed(name, &fix)?;
    if size < min {
        section.refuse(name, format!("{size} is too small"), fix);
        return None;
    }
    Some(size)
}
