//! Facts for tests.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::attributes::FileAttributes;
use crate::filetime::FileTime;
use crate::security::Sid;

use super::{FileMetadata, FileTimes, PosixFacts};

/// Times by their fields.
pub(crate) fn times(creation: u64, last_access: u64, last_write: u64, change: u64) -> FileTimes {
    FileTimes {
        creation: FileTime(creation),
        last_access: FileTime(last_access),
        last_write: FileTime(last_write),
        change: FileTime(change),
    }
}

prop_compose! {
    pub(crate) fn metadata()(
        (creation, last_access, last_write, change) in any::<(u64, u64, u64, u64)>(),
        (allocation_size, end_of_file, file_id) in any::<(u64, u64, u64)>(),
        attributes in any::<u32>(),
        (reparse_tag, ea_size) in any::<(u32, u32)>(),
    ) -> FileMetadata {
        FileMetadata {
            times: times(creation, last_access, last_write, change),
            allocation_size,
            end_of_file,
            attributes: FileAttributes::from_bits_retain(attributes),
            reparse_tag,
            file_id,
            ea_size,
        }
    }
}

pub(crate) fn sid() -> impl Strategy<Value = Sid> {
    (0..1u64 << 48, vec(any::<u32>(), 0..=15)).prop_map(|(authority, rest)| Sid::new(authority, &rest).unwrap())
}

prop_compose! {
    pub(crate) fn posix()(
        (links, device, mode) in any::<(u32, u32, u32)>(),
        owner in sid(),
        group in sid(),
    ) -> PosixFacts {
        PosixFacts { links, device, mode, owner, group }
    }
}

/// Names with characters of one and of two UTF-16 units.
pub(crate) fn name() -> impl Strategy<Value = String> {
    "[a-zA-Zäß.€ -😀]{0,20}"
}
