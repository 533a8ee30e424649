//! The values of the fields of CREATE.

use crate::layout::{bit_set, open_integer};

open_integer! {
    /// An oplock level.
    pub struct OplockLevel(u8) {
        /// No oplock.
        NONE = 0x00,
        /// A level II oplock: the client may cache reads.
        LEVEL_II = 0x01,
        /// An exclusive oplock: the client may cache reads and writes.
        EXCLUSIVE = 0x08,
        /// A batch oplock: the client may also keep a closed file open.
        BATCH = 0x09,
        /// A lease, which a create context describes.
        LEASE = 0xFF,
    }
}

open_integer! {
    /// How far the server may act as the user. Values above DELEGATE have the status BAD_IMPERSONATION_LEVEL.
    pub struct ImpersonationLevel(u32) {
        /// Not at all.
        ANONYMOUS = 0x0000_0000,
        /// To learn who the user is.
        IDENTIFICATION = 0x0000_0001,
        /// On this server.
        IMPERSONATION = 0x0000_0002,
        /// On other servers too.
        DELEGATE = 0x0000_0003,
    }
}

open_integer! {
    /// The action, depending on whether the file exists.
    pub struct CreateDisposition(u32) {
        /// Replace it, or create it.
        SUPERSEDE = 0x0000_0000,
        /// Open it, or fail.
        OPEN = 0x0000_0001,
        /// Fail, or create it.
        CREATE = 0x0000_0002,
        /// Open it, or create it.
        OPEN_IF = 0x0000_0003,
        /// Truncate it, or fail.
        OVERWRITE = 0x0000_0004,
        /// Truncate it, or create it.
        OVERWRITE_IF = 0x0000_0005,
    }
}

open_integer! {
    /// The action that was taken.
    pub struct CreateAction(u32) {
        /// The file was replaced.
        SUPERSEDED = 0x0000_0000,
        /// The file was opened.
        OPENED = 0x0000_0001,
        /// The file was created.
        CREATED = 0x0000_0002,
        /// The file was truncated.
        OVERWRITTEN = 0x0000_0003,
    }
}

bit_set! {
    /// The options of an open.
    pub struct CreateOptions(u32) {
        /// It must be a directory.
        DIRECTORY_FILE = 0x0000_0001,
        /// Writes go to stable storage before their response.
        WRITE_THROUGH = 0x0000_0002,
        /// Access will be sequential.
        SEQUENTIAL_ONLY = 0x0000_0004,
        /// Nothing is cached.
        NO_INTERMEDIATE_BUFFERING = 0x0000_0008,
        /// To be ignored.
        SYNCHRONOUS_IO_ALERT = 0x0000_0010,
        /// To be ignored.
        SYNCHRONOUS_IO_NONALERT = 0x0000_0020,
        /// It must not be a directory.
        NON_DIRECTORY_FILE = 0x0000_0040,
        /// Has the status NOT_SUPPORTED.
        CREATE_TREE_CONNECTION = 0x0000_0080,
        /// To be ignored.
        COMPLETE_IF_OPLOCKED = 0x0000_0100,
        /// The client knows no extended attributes: fail if the file needs them.
        NO_EA_KNOWLEDGE = 0x0000_0200,
        /// To be ignored.
        OPEN_REMOTE_INSTANCE = 0x0000_0400,
        /// Access will be random.
        RANDOM_ACCESS = 0x0000_0800,
        /// Delete the file when its last open closes.
        DELETE_ON_CLOSE = 0x0000_1000,
        /// The name is an identifier of the file. Has the status NOT_SUPPORTED.
        OPEN_BY_FILE_ID = 0x0000_2000,
        /// The open is for a backup.
        OPEN_FOR_BACKUP_INTENT = 0x0000_4000,
        /// A new file is not compressed.
        NO_COMPRESSION = 0x0000_8000,
        /// To be ignored.
        OPEN_REQUIRING_OPLOCK = 0x0001_0000,
        /// To be ignored.
        DISALLOW_EXCLUSIVE = 0x0002_0000,
        /// Has the status NOT_SUPPORTED.
        RESERVE_OPFILTER = 0x0010_0000,
        /// Open a reparse point itself, not its target.
        OPEN_REPARSE_POINT = 0x0020_0000,
        /// Fetch no data that is not at hand.
        OPEN_NO_RECALL = 0x0040_0000,
        /// To be ignored.
        OPEN_FOR_FREE_SPACE_QUERY = 0x0080_0000,
    }
}
