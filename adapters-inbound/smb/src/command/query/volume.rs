//! Information about a share as a volume (MS-SMB2, 3.3.5.20.2; MS-FSA, queries of file system information).

use dittofs_domain::ShareId;
use dittofs_ports::{Entered, ShareSpace};
use dittofs_smb_wire::{
    NtStatus,
    info::{
        FileSystemAttributes, VolumeClass, VolumeFacts,
        volume::{self, FILE_DEVICE_IS_MOUNTED, FILE_READ_ONLY_DEVICE, FileSystemFacts, SectorFacts, SpaceFacts},
    },
    query_info::QueryInfoRequest,
};

use super::answer;
use crate::{
    calls::{Call, Done},
    facts::{UNIT_BYTES, file_time},
    failure::Failure,
    tree::Files,
};

/// Clients use streams and ACLs only of a file system of this name.
const FILE_SYSTEM: &str = "NTFS";
/// Names are kept and found as they are written. Every share can let files have extents in common, and clients ask for
/// that only where they are told.
const ATTRIBUTES: FileSystemAttributes = FileSystemAttributes::CASE_SENSITIVE_SEARCH
    .union(FileSystemAttributes::CASE_PRESERVED_NAMES)
    .union(FileSystemAttributes::UNICODE_ON_DISK)
    .union(FileSystemAttributes::PERSISTENT_ACLS)
    .union(FileSystemAttributes::SUPPORTS_SPARSE_FILES)
    .union(FileSystemAttributes::NAMED_STREAMS)
    .union(FileSystemAttributes::SUPPORTS_HARD_LINKS)
    .union(FileSystemAttributes::SUPPORTS_EXTENDED_ATTRIBUTES)
    .union(FileSystemAttributes::SUPPORTS_BLOCK_REFCOUNTING);
/// The longest name, in characters; in bytes, but few clients know such a unit.
const NAME_MAX: u32 = 255;
/// The shortest label, for clients that demand the room for it, and the longest (MS-FSCC, FileFsVolumeInformation).
const LABEL_CHARACTERS: (usize, usize) = (3, 32);
/// Bytes of a sector. Nothing depends on it.
const SECTOR_BYTES: u32 = 512;
/// The device and its partition are aligned (MS-FSCC, FileFsSectorSizeInformation).
const ALIGNED: u32 = 3;

pub(super) async fn query(
    call: &Call,
    files: &Files,
    entered: &Entered,
    request: &QueryInfoRequest,
) -> Result<Done, Failure> {
    let class = VolumeClass::from_code(request.file_info_class)
        .filter(|class| *class != VolumeClass::Posix)
        .ok_or(NtStatus::INVALID_INFO_CLASS)?;
    let mut facts = facts(entered.node.share, &files.short_name, files.read_only);
    match class {
        VolumeClass::Volume => {
            let root = entered.share.attributes(&entered.caller, entered.node.node).await?;
            facts.created = file_time(root.birth);
        }
        VolumeClass::Size | VolumeClass::FullSize => {
            facts.space = space(&call.link.server.services.admin.space(entered.node.share).await?);
        }
        _ => {}
    }
    answer(volume::encode(class, &facts, request.output_buffer_length as usize))
}

/// What does not change.
fn facts(share: ShareId, name: &str, is_read_only: bool) -> VolumeFacts {
    let mut device_characteristics = FILE_DEVICE_IS_MOUNTED;
    let mut attributes = ATTRIBUTES;
    if is_read_only {
        device_characteristics |= FILE_READ_ONLY_DEVICE;
        attributes |= FileSystemAttributes::READ_ONLY_VOLUME;
    }
    VolumeFacts {
        serial_number: (share.0 ^ share.0 >> 32) as u32,
        label: label(name),
        object_id: u128::from(share.0).to_be_bytes(),
        device_characteristics,
        file_system: FileSystemFacts { attributes, component_length_max: NAME_MAX, name: FILE_SYSTEM.to_owned() },
        sectors: SectorFacts {
            sectors_per_unit: UNIT_BYTES as u32 / SECTOR_BYTES,
            bytes_per_sector: SECTOR_BYTES,
            physical_bytes_per_sector: UNIT_BYTES as u32,
            flags: ALIGNED,
        },
        ..VolumeFacts::default()
    }
}

/// The label: the share's name.
fn label(name: &str) -> String {
    let (min, max) = LABEL_CHARACTERS;
    format!("{name:<min$.max$}")
}

fn space(space: &ShareSpace) -> SpaceFacts {
    let free = space.bytes_free / UNIT_BYTES;
    SpaceFacts {
        total_units: space.bytes_total / UNIT_BYTES,
        caller_available_units: free,
        available_units: free,
        total_files: space.nodes_total,
        available_files: space.nodes_free,
    }
}

#[cfg(test)]
mod tests;
