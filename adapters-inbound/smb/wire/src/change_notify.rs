//! CHANGE_NOTIFY, MS-SMB2 2.2.35. Its response is an [`crate::output::OutputBufferResponse`], which holds a
//! [`crate::info::ChangeList`].

use crate::identifiers::FileId;
use crate::layout::{bit_set, fixed_body};

bit_set! {
    /// The flags of a CHANGE_NOTIFY.
    pub struct ChangeNotifyFlags(u16) {
        /// Watch the directories below too.
        WATCH_TREE = 0x0001,
    }
}

bit_set! {
    /// The changes to tell of.
    pub struct CompletionFilter(u32) {
        /// A file was created, renamed or deleted.
        FILE_NAME = 0x0000_0001,
        /// A directory was created, renamed or deleted.
        DIR_NAME = 0x0000_0002,
        /// Attributes changed.
        ATTRIBUTES = 0x0000_0004,
        /// A size changed.
        SIZE = 0x0000_0008,
        /// A time of last write changed.
        LAST_WRITE = 0x0000_0010,
        /// A time of last access changed.
        LAST_ACCESS = 0x0000_0020,
        /// A time of creation changed.
        CREATION = 0x0000_0040,
        /// Extended attributes changed.
        EA = 0x0000_0080,
        /// A security descriptor changed.
        SECURITY = 0x0000_0100,
        /// A named stream was created, renamed or deleted.
        STREAM_NAME = 0x0000_0200,
        /// The size of a named stream changed.
        STREAM_SIZE = 0x0000_0400,
        /// A named stream was written to.
        STREAM_WRITE = 0x0000_0800,
    }
}

fixed_body! {
    /// A CHANGE_NOTIFY request, 2.2.35.
    pub struct ChangeNotifyRequest(32) {
        /// Whether to watch the whole tree.
        pub flags: ChangeNotifyFlags,
        /// Bytes of changes at most.
        pub output_buffer_length: u32,
        /// The open directory.
        pub file_id: FileId,
        /// The changes to tell of.
        pub completion_filter: CompletionFilter,
        trailing 4;
    }
}
