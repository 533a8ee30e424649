//! Access masks and share modes, MS-SMB2 2.2.13.1 and 2.2.13.

use crate::layout::bit_set;

bit_set! {
    /// Rights to a file, directory or pipe. A directory gives other names to the lowest bits.
    pub struct AccessMask(u32) {
        /// Read data.
        FILE_READ_DATA = 0x0000_0001,
        /// List the directory.
        FILE_LIST_DIRECTORY = 0x0000_0001,
        /// Write data.
        FILE_WRITE_DATA = 0x0000_0002,
        /// Create files in the directory.
        FILE_ADD_FILE = 0x0000_0002,
        /// Append data.
        FILE_APPEND_DATA = 0x0000_0004,
        /// Create directories in the directory.
        FILE_ADD_SUBDIRECTORY = 0x0000_0004,
        /// Read extended attributes.
        FILE_READ_EA = 0x0000_0008,
        /// Write extended attributes.
        FILE_WRITE_EA = 0x0000_0010,
        /// Run the file.
        FILE_EXECUTE = 0x0000_0020,
        /// Pass through the directory.
        FILE_TRAVERSE = 0x0000_0020,
        /// Delete any entry of the directory.
        FILE_DELETE_CHILD = 0x0000_0040,
        /// Read attributes.
        FILE_READ_ATTRIBUTES = 0x0000_0080,
        /// Write attributes.
        FILE_WRITE_ATTRIBUTES = 0x0000_0100,
        /// Delete or rename the file.
        DELETE = 0x0001_0000,
        /// Read the security descriptor but its SACL.
        READ_CONTROL = 0x0002_0000,
        /// Change the DACL.
        WRITE_DAC = 0x0004_0000,
        /// Change the owner.
        WRITE_OWNER = 0x0008_0000,
        /// Wait on the handle.
        SYNCHRONIZE = 0x0010_0000,
        /// Read and change the SACL.
        ACCESS_SYSTEM_SECURITY = 0x0100_0000,
        /// All rights that the user can have.
        MAXIMUM_ALLOWED = 0x0200_0000,
        /// All rights.
        GENERIC_ALL = 0x1000_0000,
        /// All rights that reading as a program needs.
        GENERIC_EXECUTE = 0x2000_0000,
        /// All rights that writing needs.
        GENERIC_WRITE = 0x4000_0000,
        /// All rights that reading needs.
        GENERIC_READ = 0x8000_0000,
        /// The meaning of [`Self::GENERIC_READ`] for a file: 0x00120089.
        FILE_GENERIC_READ = Self::FILE_READ_DATA.bits() | Self::FILE_READ_EA.bits() | Self::FILE_READ_ATTRIBUTES.bits()
            | Self::READ_CONTROL.bits() | Self::SYNCHRONIZE.bits(),
        /// The meaning of [`Self::GENERIC_WRITE`] for a file: 0x00120116.
        FILE_GENERIC_WRITE = Self::FILE_WRITE_DATA.bits() | Self::FILE_APPEND_DATA.bits() | Self::FILE_WRITE_EA.bits()
            | Self::FILE_WRITE_ATTRIBUTES.bits() | Self::READ_CONTROL.bits() | Self::SYNCHRONIZE.bits(),
        /// The meaning of [`Self::GENERIC_EXECUTE`] for a file: 0x001200A0.
        FILE_GENERIC_EXECUTE = Self::FILE_EXECUTE.bits() | Self::FILE_READ_ATTRIBUTES.bits()
            | Self::READ_CONTROL.bits() | Self::SYNCHRONIZE.bits(),
        /// The meaning of [`Self::GENERIC_ALL`] for a file: 0x001F01FF.
        FILE_ALL_ACCESS = 0x001F_01FF,
    }
}

impl AccessMask {
    /// These rights with the generic ones replaced by what they mean for a file (MS-SMB2 2.2.13.1.1).
    #[must_use]
    pub fn without_generic(self) -> Self {
        [
            (Self::GENERIC_READ, Self::FILE_GENERIC_READ),
            (Self::GENERIC_WRITE, Self::FILE_GENERIC_WRITE),
            (Self::GENERIC_EXECUTE, Self::FILE_GENERIC_EXECUTE),
            (Self::GENERIC_ALL, Self::FILE_ALL_ACCESS),
        ]
        .into_iter()
        .fold(
            self,
            |rights, (generic, meaning)| {
                if rights.contains(generic) { (rights - generic) | meaning } else { rights }
            },
        )
    }
}

bit_set! {
    /// The ShareAccess of a CREATE: the access that others may have at the same time.
    pub struct ShareAccess(u32) {
        /// Others may read.
        READ = 0x0000_0001,
        /// Others may write.
        WRITE = 0x0000_0002,
        /// Others may delete and rename.
        DELETE = 0x0000_0004,
    }
}
