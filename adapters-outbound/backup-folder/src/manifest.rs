//! The manifest as JSON. Ids and checksums are text, as numbers of 64 bits are no numbers everywhere.

use std::{collections::BTreeSet, path::Path};

use dittofs_domain::{Epoch, KeyId, ObjectId, Scale, ShareId, Timestamp, backup::BackupId, content::checksum};
use dittofs_ports::{BackupFolderError, KeysInUse, Manifest, ObjectInBackup, RowsInBackup, ShareInBackup};
use serde::{Deserialize, Serialize};

use crate::files::damaged;

/// The newest format that this release reads.
const FORMAT: u32 = 2;
/// The format that this release writes where an earlier release can read it. Format 2 has files that are incomplete.
const FORMAT_WHOLE: u32 = 1;

/// The fields with which every format begins.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// The whole manifest. The checksum is that of its contents, written without spaces.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    format: u32,
    checksum: String,
    backup: Backup,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Backup {
    id: String,
    at: Time,
    program: String,
    /// Whether it has the objects; else they are pinned where they were.
    holds_objects: bool,
    shares: Vec<Share>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Time {
    unix_seconds: i64,
    nanoseconds: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Share {
    name: String,
    id: String,
    at: Time,
    nodes: u64,
    bytes: u64,
    /// Keys without which nothing can be read.
    keys: Vec<String>,
    are_all_keys: bool,
    epoch: u64,
    counts_names: bool,
    scale: Sizes,
    format: String,
    rows: Rows,
    objects: Vec<Object>,
    /// Files whose newest bytes are not in it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    incomplete: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sizes {
    page_bytes: u32,
    region_bytes: u32,
    object_blocks: u32,
    page_extents: u32,
    plan_steps: u32,
    plan_rows: u32,
    chunk_bytes: u64,
    object_bytes: u64,
    segment_bytes: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    rows: u64,
    bytes: u64,
    checksum: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    id: String,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    checksum: Option<String>,
}

pub(crate) fn to_text(manifest: &Manifest) -> Vec<u8> {
    let backup = Backup::from(manifest);
    let is_whole = backup.shares.iter().all(|share| share.incomplete.is_empty());
    let format = if is_whole { FORMAT_WHOLE } else { FORMAT };
    let whole = Whole { format, checksum: sum_of(&backup), backup };
    // Every type has text for keys, which is all that could fail.
    let mut text = serde_json::to_vec_pretty(&whole).unwrap_or_default();
    text.push(b'\n');
    text
}

pub(crate) fn of_text(text: &[u8], file: &Path) -> Result<Manifest, BackupFolderError> {
    let no_json = |error: serde_json::Error| damaged(file, format!("it is no manifest: {error}"));
    let Head { format } = serde_json::from_slice(text).map_err(no_json)?;
    if format > FORMAT {
        return Err(BackupFolderError::Newer { file: file.to_owned(), found: format });
    }
    let whole: Whole = serde_json::from_slice(text).map_err(no_json)?;
    if sum_of(&whole.backup) != whole.checksum {
        return Err(damaged(file, "its checksum is wrong"));
    }
    whole.backup.read().ok_or_else(|| damaged(file, "it has a value that makes no sense"))
}

fn sum_of(backup: &Backup) -> String {
    hex(checksum(&serde_json::to_vec(backup).unwrap_or_default()))
}

fn hex(number: u64) -> String {
    format!("{number:016x}")
}

fn of_hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok().filter(|number| hex(*number) == text)
}

/// A key as people see it: a fingerprint has 16 digits, a number is decimal.
fn key(text: &str) -> Option<KeyId> {
    let key = match text.len() {
        16 => KeyId(of_hex(text)?),
        _ => KeyId::of_number(text.parse().ok()?),
    };
    Some(key).filter(|key| key.is_possible() && !key.is_none())
}

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Time {
        Time { unix_seconds: time.seconds(), nanoseconds: time.nanos() }
    }
}

impl Time {
    fn read(&self) -> Option<Timestamp> {
        Timestamp::new(self.unix_seconds, self.nanoseconds)
    }
}

impl From<&Manifest> for Backup {
    fn from(manifest: &Manifest) -> Backup {
        Backup {
            id: manifest.backup.to_string(),
            at: manifest.at.into(),
            program: manifest.program.clone(),
            holds_objects: manifest.holds_objects,
            shares: manifest.shares.iter().map(Share::from).collect(),
        }
    }
}

impl Backup {
    fn read(self) -> Option<Manifest> {
        Some(Manifest {
            backup: self.id.parse::<BackupId>().ok()?,
            at: self.at.read()?,
            program: self.program,
            holds_objects: self.holds_objects,
            shares: self.shares.into_iter().map(Share::read).collect::<Option<_>>()?,
        })
    }
}

impl From<&ShareInBackup> for Share {
    fn from(share: &ShareInBackup) -> Share {
        let RowsInBackup { rows, bytes, checksum } = share.rows;
        let object = |object: &ObjectInBackup| Object {
            id: object.id.to_string(),
            bytes: object.bytes,
            checksum: object.checksum.map(hex),
        };
        Share {
            name: share.name.clone(),
            id: hex(share.id.0),
            at: share.at.into(),
            nodes: share.nodes,
            bytes: share.bytes,
            keys: share.keys.in_use.iter().map(ToString::to_string).collect(),
            are_all_keys: share.keys.are_all,
            epoch: share.epoch.0,
            counts_names: share.counts_names,
            scale: Sizes::from(share.scale),
            format: share.format.clone(),
            rows: Rows { rows, bytes, checksum: hex(checksum) },
            objects: share.objects.iter().map(object).collect(),
            incomplete: share.incomplete.clone(),
        }
    }
}

impl Share {
    fn read(self) -> Option<ShareInBackup> {
        let in_use = self.keys.iter().map(|text| key(text)).collect::<Option<BTreeSet<_>>>()?;
        Some(ShareInBackup {
            id: ShareId(of_hex(&self.id)?),
            name: self.name,
            scale: self.scale.read()?,
            counts_names: self.counts_names,
            keys: KeysInUse { in_use, are_all: self.are_all_keys },
            epoch: Epoch(self.epoch),
            at: self.at.read()?,
            nodes: self.nodes,
            bytes: self.bytes,
            format: self.format,
            rows: RowsInBackup { rows: self.rows.rows, bytes: self.rows.bytes, checksum: of_hex(&self.rows.checksum)? },
            objects: self.objects.iter().map(Object::read).collect::<Option<_>>()?,
            incomplete: self.incomplete,
        })
    }
}

impl Object {
    fn read(&self) -> Option<ObjectInBackup> {
        let id = u128::from_str_radix(&self.id, 16).ok().map(ObjectId).filter(|id| id.to_string() == self.id)?;
        let checksum = match &self.checksum {
            Some(text) => Some(of_hex(text)?),
            None => None,
        };
        Some(ObjectInBackup { id, bytes: self.bytes, checksum })
    }
}

impl From<Scale> for Sizes {
    fn from(scale: Scale) -> Sizes {
        Sizes {
            page_bytes: scale.page_bytes,
            region_bytes: scale.region_bytes,
            object_blocks: scale.object_blocks,
            page_extents: scale.page_extents,
            plan_steps: scale.plan_steps,
            plan_rows: scale.plan_rows,
            chunk_bytes: scale.chunk_bytes,
            object_bytes: scale.object_bytes,
            segment_bytes: scale.segment_bytes,
        }
    }
}

impl Sizes {
    fn read(&self) -> Option<Scale> {
        let scale = Scale {
            page_bytes: self.page_bytes,
            region_bytes: self.region_bytes,
            object_blocks: self.object_blocks,
            page_extents: self.page_extents,
            plan_steps: self.plan_steps,
            plan_rows: self.plan_rows,
            chunk_bytes: self.chunk_bytes,
            object_bytes: self.object_bytes,
            segment_bytes: self.segment_bytes,
        };
        Some(scale).filter(Scale::is_valid)
    }
}
