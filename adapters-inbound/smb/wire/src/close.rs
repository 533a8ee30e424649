//! CLOSE, MS-SMB2 2.2.15 and 2.2.16.

use crate::attributes::FileAttributes;
use crate::filetime::FileTime;
use crate::identifiers::FileId;
use crate::layout::{bit_set, fixed_body};

bit_set! {
    /// The flags of a CLOSE and its response.
    pub struct CloseFlags(u16) {
        /// The response shall hold, or holds, the attributes after the close.
        POSTQUERY_ATTRIB = 0x0001,
    }
}

fixed_body! {
    /// A CLOSE request, 2.2.15.
    pub struct CloseRequest(24) {
        /// Whether the response shall hold attributes.
        pub flags: CloseFlags,
        reserved 4;
        /// The open to close.
        pub file_id: FileId,
    }
}

fixed_body! {
    /// The response to CLOSE, 2.2.16. Without the flag all attributes are zero.
    pub struct CloseResponse(60) {
        /// Whether the attributes are valid.
        pub flags: CloseFlags,
        reserved 4;
        /// When the file was created.
        pub creation_time: FileTime,
        /// When the file was last accessed.
        pub last_access_time: FileTime,
        /// When data was last written.
        pub last_write_time: FileTime,
        /// When data or attributes last changed.
        pub change_time: FileTime,
        /// Bytes of storage that the data takes.
        pub allocation_size: u64,
        /// Bytes of data.
        pub end_of_file: u64,
        /// The file's attributes.
        pub file_attributes: FileAttributes,
    }
}

impl CloseResponse {
    /// The response to a request without the flag.
    pub const WITHOUT_ATTRIBUTES: Self = Self {
        flags: CloseFlags::empty(),
        creation_time: FileTime::ZERO,
        last_access_time: FileTime::ZERO,
        last_write_time: FileTime::ZERO,
        change_time: FileTime::ZERO,
        allocation_size: 0,
        end_of_file: 0,
        file_attributes: FileAttributes::empty(),
    };
}

#[cfg(test)]
mod tests;
