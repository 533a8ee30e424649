use bitflags::bitflags;

bitflags! {
    /// Abilities of a file system (FileFsAttributeInformation). Bits without a name here are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct FileSystemAttributes: u32 {
        /// Finds names case-sensitively.
        const CASE_SENSITIVE_SEARCH = 0x0000_0001;
        /// Keeps the case of names.
        const CASE_PRESERVED_NAMES = 0x0000_0002;
        /// Keeps names in Unicode.
        const UNICODE_ON_DISK = 0x0000_0004;
        /// Keeps and enforces access control lists.
        const PERSISTENT_ACLS = 0x0000_0008;
        /// Compresses single files.
        const FILE_COMPRESSION = 0x0000_0010;
        /// Has quotas of users.
        const VOLUME_QUOTAS = 0x0000_0020;
        /// Has sparse files.
        const SUPPORTS_SPARSE_FILES = 0x0000_0040;
        /// Has reparse points.
        const SUPPORTS_REPARSE_POINTS = 0x0000_0080;
        /// Has remote storage.
        const SUPPORTS_REMOTE_STORAGE = 0x0000_0100;
        /// Reports more after a clean-up of an open.
        const RETURNS_CLEANUP_RESULT_INFO = 0x0000_0200;
        /// Deletes and renames with POSIX semantics.
        const SUPPORTS_POSIX_UNLINK_RENAME = 0x0000_0400;
        /// The whole volume is compressed.
        const VOLUME_IS_COMPRESSED = 0x0000_8000;
        /// Has object identifiers.
        const SUPPORTS_OBJECT_IDS = 0x0001_0000;
        /// Encrypts files.
        const SUPPORTS_ENCRYPTION = 0x0002_0000;
        /// Has named streams.
        const NAMED_STREAMS = 0x0004_0000;
        /// Can't be written.
        const READ_ONLY_VOLUME = 0x0008_0000;
        /// Can be written once, in order.
        const SEQUENTIAL_WRITE_ONCE = 0x0010_0000;
        /// Has transactions.
        const SUPPORTS_TRANSACTIONS = 0x0020_0000;
        /// Has hard links.
        const SUPPORTS_HARD_LINKS = 0x0040_0000;
        /// Has extended attributes.
        const SUPPORTS_EXTENDED_ATTRIBUTES = 0x0080_0000;
        /// Opens files by their identifier.
        const SUPPORTS_OPEN_BY_FILE_ID = 0x0100_0000;
        /// Has a journal of changes.
        const SUPPORTS_USN_JOURNAL = 0x0200_0000;
        /// Has integrity checksums.
        const SUPPORTS_INTEGRITY_STREAMS = 0x0400_0000;
        /// Shares blocks between files: FSCTL_DUPLICATE_EXTENTS_TO_FILE works.
        const SUPPORTS_BLOCK_REFCOUNTING = 0x0800_0000;
        /// Tracks which parts of a file hold valid data.
        const SUPPORTS_SPARSE_VDL = 0x1000_0000;
        /// Maps persistent memory directly.
        const DAX_VOLUME = 0x2000_0000;
        /// Has ghosted files.
        const SUPPORTS_GHOSTING = 0x4000_0000;

        const _ = !0;
    }
}
