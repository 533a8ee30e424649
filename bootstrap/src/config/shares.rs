//! The shares: what is exported, from which stores, to whom.

use dittofs_application::{Atime, VolumeLimits};
use dittofs_domain::credentials::{NOBODY, Squash};
use dittofs_domain::users::AccessList;
use dittofs_frame_codec::CompressionMethod;
use dittofs_ports::Survives;
use figment::value::Value;
use ipnet::IpNet;

use super::access;
use super::clients;
use super::durability::Durability;
use super::encryption::{self, EncryptionConfig};
use super::folders::Folders;
use super::problem::Report;
use super::section::{Section, shown};
use super::share_encryption;
use super::short_names;
use super::size::ByteSize;
use super::stores::{NamedStores, StoreConfig};

/// The words of the configuration for whose identity is replaced.
const SQUASHES: [(&str, Squash); 3] = [("none", Squash::None), ("root", Squash::Root), ("all", Squash::All)];

/// The word of the configuration for a way of squashing.
#[must_use]
pub fn squash_word(squash: Squash) -> &'static str {
    match squash {
        Squash::None => "none",
        Squash::Root => "root",
        Squash::All => "all",
    }
}

/// The words of the configuration for how what is in files is compressed.
const COMPRESSIONS: [(&str, CompressionMethod); 2] =
    [("none", CompressionMethod::None), ("zstd", CompressionMethod::Zstd)];

/// The word of the configuration for a way of compressing.
#[must_use]
pub fn compression_word(method: CompressionMethod) -> &'static str {
    match method {
        CompressionMethod::None => "none",
        CompressionMethod::Zstd => "zstd",
    }
}

/// The words of the configuration for whether reads advance access times.
const ATIMES: [(&str, Atime); 2] = [("relatime", Atime::Relatime), ("none", Atime::None)];

/// The word of the configuration for whether reads advance access times.
#[must_use]
pub fn atime_word(atime: Atime) -> &'static str {
    match atime {
        Atime::Relatime => "relatime",
        Atime::None => "none",
    }
}

/// One exported tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareConfig {
    /// The path that clients mount: absolute, without empty parts, `.` or `..`.
    pub name: String,
    /// Its name for clients of SMB.
    pub smb_name: String,
    /// Whether clients of SMB must encrypt what they send and get, whatever the server demands.
    pub smb_encryption_required: bool,
    /// The id to find the share by, for stores that keep one; by name if absent.
    pub id: Option<u64>,
    /// A name in `metadata.stores`.
    pub metadata_store: String,
    /// A name in `content.stores`.
    pub content_store: String,
    /// The tier in force, given or the strongest that both stores can give on this machine.
    pub durability: Durability,
    /// At [`Durability::Remote`], the most bytes of a file that are committed to the metadata store.
    pub inline_max: ByteSize,
    /// How what is in files is compressed on its way to the content store.
    pub compression: CompressionMethod,
    /// Whether and with which keys it is encrypted there.
    pub encryption: Option<EncryptionConfig>,
    /// Networks that may mount and use the share; nobody else may.
    pub clients: Vec<IpNet>,
    /// Take only requests from source ports below 1024.
    pub secure_ports: bool,
    /// Whose identity is replaced.
    pub squash: Squash,
    /// The user that stands for a squashed or unnamed one; never 0.
    pub anonymous_uid: u32,
    /// The group that stands for a squashed or unnamed one; never 0.
    pub anonymous_gid: u32,
    /// Whether reads advance access times.
    pub atime: Atime,
    /// Which users of the server may enter that log on by name, and what for.
    pub access: AccessList,
    /// Refuse every change.
    pub read_only: bool,
    /// The most that the share may hold.
    pub quota: QuotaConfig,
    /// How long reads are put off while the content store does not answer, before they fail.
    pub outage_seconds: u64,
}

/// The quota of a share. A limit that is absent is unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuotaConfig {
    /// Bytes allocated, with what names cost.
    pub bytes: Option<ByteSize>,
    /// Files, directories and others, without the root.
    pub files: Option<u64>,
}

/// More files than that no quota need say: ids would be used up sooner.
const FILES_MAX: u64 = 1 << 40;
/// What a database takes well in a row, and how much by default: all of it is written to its log, too.
const INLINE_MAX: ByteSize = ByteSize(128 << 10);
const INLINE_DEFAULT: ByteSize = ByteSize(16 << 10);
/// A month: longer is for ever.
const OUTAGE_SECONDS_MAX: u64 = 30 * 24 * 3_600;
/// MNTPATHLEN of RFC 1813, section 5.1.3.
const NAME_BYTES_MAX: usize = 1024;
/// As long as names in directories (NAME_MAX).
const PART_BYTES_MAX: usize = 255;
/// Each has a part of the journal, of at least 16 MiB, and tasks of its own.
const SHARES_MAX: usize = 1024;

/// Reads the list `shares`.
pub(super) fn read(
    items: Vec<Value>,
    metadata: &NamedStores,
    content: &NamedStores,
    folders: &Folders<'_>,
    report: &Report,
) -> Vec<ShareConfig> {
    if items.is_empty() || items.len() > SHARES_MAX {
        let found = format!("{} shares", items.len());
        report.refuse("shares", found, format!("name 1 to {SHARES_MAX}"));
        return Vec::new();
    }
    let mut shares: Vec<ShareConfig> = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        let section = Section::from_value(format!("shares[{at}]"), item, report);
        let key = section.key("name");
        let Some(share) = read_one(section, metadata, content, folders) else {
            continue;
        };
        if let Some(other) = shares.iter().find(|other| overlap(&other.name, &share.name)) {
            let (found, fix) = match other.name == share.name {
                true => {
                    (format!("`{}` is the name of another share too", share.name), "give each share a name of its own")
                }
                false => (
                    format!("`{}` and `{}` lie within each other", share.name, other.name),
                    "name shares so that none lies below another",
                ),
            };
            report.refuse(&key, found, fix);
        }
        shares.push(share);
    }
    shares
}

fn read_one(
    mut section: Section<'_>,
    metadata: &NamedStores,
    content: &NamedStores,
    folders: &Folders<'_>,
) -> Option<ShareConfig> {
    let name = read_name(&mut section);
    let smb_name = short_names::read(&mut section, name.as_deref());
    let smb_encryption_required = share_encryption::read(&mut section);
    let metadata_store = read_store(&mut section, "metadata_store", "metadata", metadata);
    let content_store = read_store(&mut section, "content_store", "content", content);
    let wanted = section.take_choice("durability", &Durability::CHOICES);
    let stores = metadata_store.as_ref().zip(content_store.as_ref());
    let durability = stores.and_then(|(metadata, content)| resolve_durability(&section, wanted, metadata.1, content.1));
    let inline_max = read_inline_max(&mut section, durability);
    let id = read_id(&mut section, metadata_store.as_ref().map(|(_, store)| *store));
    let compression = section.take_choice("compression", &COMPRESSIONS).unwrap_or_default();
    let encryption = encryption::read(&mut section, folders);
    let clients = clients::read(&mut section);
    let secure_ports = section.take_flag("secure_ports").unwrap_or(true);
    let squash = section.take_choice("squash", &SQUASHES);
    let anonymous_uid = read_anonymous(&mut section, "anonymous_uid");
    let anonymous_gid = read_anonymous(&mut section, "anonymous_gid");
    let atime = section.take_choice("atime", &ATIMES).unwrap_or_default();
    let access = access::read(&mut section);
    let read_only = section.take_flag("read_only").unwrap_or(false);
    let quota = read_quota(&mut section);
    let outage = section.take_number("outage_seconds", 0..=OUTAGE_SECONDS_MAX);
    section.finish();
    Some(ShareConfig {
        name: name?,
        smb_name: smb_name?,
        smb_encryption_required,
        id,
        metadata_store: metadata_store?.0,
        content_store: content_store?.0,
        durability: durability.unwrap_or(Durability::None),
        inline_max,
        compression,
        encryption,
        clients,
        secure_ports,
        squash: squash.unwrap_or_default(),
        anonymous_uid,
        anonymous_gid,
        atime,
        access,
        read_only,
        quota,
        outage_seconds: outage.unwrap_or(VolumeLimits::USUAL.outage_ms_max / 1_000),
    })
}

fn read_name(section: &mut Section<'_>) -> Option<String> {
    if !section.has("name") {
        section.refuse("name", "is missing", "name the share by its path, such as /export");
    }
    let name = section.take_text("name")?;
    match fault_of(&name) {
        None => Some(name),
        Some(fault) => {
            let found = format!("{} {fault}", shown(&Value::from(name)));
            section.refuse("name", found, "write an absolute path, such as /export");
            None
        }
    }
}

/// Returns the fault of a share's name, if it has one.
pub(crate) fn fault_of(name: &str) -> Option<&'static str> {
    let Some(path) = name.strip_prefix('/') else {
        return Some("does not begin with /");
    };
    let wrong = |part: &str| part.is_empty() || part == "." || part == "..";
    if name.len() > NAME_BYTES_MAX || path.split('/').any(|part| part.len() > PART_BYTES_MAX) {
        Some("is too long")
    } else if name.chars().any(char::is_control) {
        Some("has a control character in it")
    } else if !path.is_empty() && path.split('/').any(wrong) {
        Some("has an empty part, `.` or `..` in it")
    } else {
        None
    }
}

/// Whether one lies within the other, or is the other.
pub(crate) fn overlap(one: &str, other: &str) -> bool {
    let below = |deep: &str, high: &str| {
        let rest = deep.strip_prefix(high.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    below(one, other) || below(other, one)
}

fn read_store<'s>(
    section: &mut Section<'_>,
    field: &'static str,
    kind: &str,
    stores: &'s NamedStores,
) -> Option<(String, &'s StoreConfig)> {
    let known: Vec<&str> = stores.sound.keys().chain(&stores.refused).map(String::as_str).collect();
    let fix = match known.is_empty() {
        true => format!("name a store below {kind}.stores first"),
        false => format!("known below {kind}.stores: {}", known.join(", ")),
    };
    if !section.has(field) {
        section.refuse(field, "is missing", fix.clone());
    }
    let name = section.take_text(field)?;
    let store = stores.sound.get(&name);
    if store.is_none() && !stores.refused.contains(&name) {
        let found = format!("there is no {kind} store {}", shown(&Value::from(name.as_str())));
        section.refuse(field, found, fix);
    }
    store.map(|store| (name, store))
}

fn resolve_durability(
    section: &Section<'_>,
    wanted: Option<Durability>,
    metadata: &StoreConfig,
    content: &StoreConfig,
) -> Option<Durability> {
    let Some(strongest) = Durability::strongest(metadata.survives, content.survives) else {
        let found = format!(
            "metadata in `{}` and content in `{}`: one outlives the server, the other is lost with it",
            metadata.kind, content.kind
        );
        let fix = "take two stores that are both in memory, or both persistent";
        section.refuse("content_store", found, fix);
        return None;
    };
    match wanted {
        Some(wanted) if wanted > strongest => {
            let of = |kind: &str, store: &StoreConfig| {
                let outlives = match store.survives {
                    Survives::Nothing => "nothing",
                    Survives::Process => "the server",
                    Survives::PowerLoss => "a loss of power, but not its machine",
                    Survives::MachineLoss => "its machine",
                };
                format!("{kind} in `{}` outlives {outlives}", store.kind)
            };
            let reason = format!("{}, {}", of("metadata", metadata), of("content", content));
            let found = format!("these stores can't give `{wanted}`: {reason}");
            let fix = format!("the strongest that they can give is `{strongest}`");
            section.refuse("durability", found, fix);
            None
        }
        Some(Durability::None) if strongest > Durability::None => {
            let found = "`none` is for shares that are in memory only";
            section.refuse("durability", found, format!("write `{strongest}`"));
            None
        }
        // A network away, each commit would wait for the stores: nobody gets that without asking for it.
        wanted => Some(wanted.unwrap_or(strongest.min(Durability::Local))),
    }
}

fn read_inline_max(section: &mut Section<'_>, durability: Option<Durability>) -> ByteSize {
    let fix = format!("write a size up to {INLINE_MAX}, such as {INLINE_DEFAULT}; 0 for none");
    let Some(size) = section.take_parsed::<ByteSize>("inline_max", &fix) else { return INLINE_DEFAULT };
    if durability != Some(Durability::Remote) {
        section.refuse(
            "inline_max",
            "only a share with `durability: remote` commits to the metadata store",
            "leave it out",
        );
    } else if size > INLINE_MAX {
        section.refuse("inline_max", format!("{size} is too much for rows of metadata"), fix);
    }
    size
}

fn read_id(section: &mut Section<'_>, store: Option<&StoreConfig>) -> Option<u64> {
    let id = section.take_number("id", 1..=u64::MAX)?;
    if store.is_some_and(|store| store.survives == Survives::Nothing) {
        let found = "a share in memory gets a new id at each start";
        section.refuse("id", found, "leave this key out");
    }
    Some(id)
}

fn read_anonymous(section: &mut Section<'_>, name: &'static str) -> u32 {
    // 0 would turn every unknown user into root; the highest number means "no id" (POSIX chown).
    let number = section.take_number(name, 1..=u64::from(u32::MAX) - 1);
    u32::try_from(number.unwrap_or(NOBODY.into())).unwrap_or(u32::MAX - 1)
}

/// A size alone bounds bytes.
fn read_quota(section: &mut Section<'_>) -> QuotaConfig {
    if !section.is_section("quota") {
        return QuotaConfig { bytes: read_bytes(section, "quota"), files: None };
    }
    let mut quota = section.take_section("quota");
    let bytes = read_bytes(&mut quota, "bytes");
    let files = quota.take_number("files", 1..=FILES_MAX);
    quota.finish();
    QuotaConfig { bytes, files }
}

fn read_bytes(section: &mut Section<'_>, name: &'static str) -> Option<ByteSize> {
    let bytes = section.take_parsed(name, "write a size, such as 100GiB");
    if bytes == Some(ByteSize(0)) {
        section.refuse(name, "`0` leaves no room for a byte", "leave it out for no limit");
    }
    bytes
}
