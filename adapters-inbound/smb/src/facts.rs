//! Attributes as SMB shows them.

use dittofs_domain::{Attributes, NodeKind, Timestamp};
use dittofs_smb_wire::{
    attributes::FileAttributes,
    filetime::FileTime,
    info::{FileMetadata, FileTimes},
};

/// Bytes in which space is counted.
pub(crate) const UNIT_BYTES: u64 = 4_096;
/// The attributes that are kept with a node (MS-FSCC, 2.6): those that clients set and get back.
pub(crate) const KEPT: FileAttributes = FileAttributes::READONLY
    .union(FileAttributes::HIDDEN)
    .union(FileAttributes::SYSTEM)
    .union(FileAttributes::ARCHIVE)
    .union(FileAttributes::TEMPORARY)
    .union(FileAttributes::SPARSE_FILE)
    .union(FileAttributes::OFFLINE)
    .union(FileAttributes::NOT_CONTENT_INDEXED);

/// A time on the wire.
pub(crate) fn file_time(time: Timestamp) -> FileTime {
    FileTime::from_unix(time.seconds(), time.nanos())
}

/// A time from the wire.
pub(crate) fn timestamp(time: FileTime) -> Timestamp {
    let (seconds, nanos) = time.to_unix();
    Timestamp::new(seconds, nanos).unwrap_or(Timestamp::EPOCH)
}

/// The attributes of a node.
pub(crate) fn attributes(node: &Attributes) -> FileAttributes {
    let kept = FileAttributes::from_bits_retain(node.dos_attributes) & KEPT;
    let kind = match node.kind {
        NodeKind::Directory => FileAttributes::DIRECTORY,
        NodeKind::File | NodeKind::Stream => FileAttributes::empty(),
        // Clients must not take one for a file with content.
        NodeKind::Symlink | NodeKind::Fifo | NodeKind::Socket | NodeKind::BlockDevice | NodeKind::CharDevice => {
            FileAttributes::SYSTEM
        }
    };
    (kept | kind).presented()
}

/// The size of extended attributes that count for so much: that of a packed list of all, with its length before it;
/// 0 where there are none.
fn ea_size(bytes: u32) -> u32 {
    if bytes == 0 { 0 } else { bytes + 4 }
}

/// Times, sizes and attributes of a node.
pub(crate) fn metadata(node: &Attributes) -> FileMetadata {
    let is_directory = node.kind == NodeKind::Directory;
    FileMetadata {
        times: FileTimes {
            creation: file_time(node.birth),
            last_access: file_time(node.atime),
            last_write: file_time(node.mtime),
            change: file_time(node.ctime),
        },
        allocation_size: if is_directory { 0 } else { node.used.next_multiple_of(UNIT_BYTES) },
        end_of_file: if is_directory { 0 } else { node.size },
        attributes: attributes(node),
        reparse_tag: 0,
        file_id: node.file.0,
        ea_size: ea_size(node.xattr_bytes),
    }
}
