//! The commands, MS-SMB2 2.2.1.2.

use crate::layout::open_integer;

open_integer! {
    /// The Command field of the header.
    pub struct Command(u16) {
        /// Agrees on dialect and capabilities.
        NEGOTIATE = 0x00,
        /// Authenticates a user.
        SESSION_SETUP = 0x01,
        /// Ends a session.
        LOGOFF = 0x02,
        /// Connects to a share.
        TREE_CONNECT = 0x03,
        /// Ends a tree connect.
        TREE_DISCONNECT = 0x04,
        /// Opens or creates a file, directory or pipe.
        CREATE = 0x05,
        /// Closes an open.
        CLOSE = 0x06,
        /// Writes a file's cached data to stable storage.
        FLUSH = 0x07,
        /// Reads from a file or pipe.
        READ = 0x08,
        /// Writes to a file or pipe.
        WRITE = 0x09,
        /// Locks and unlocks byte ranges.
        LOCK = 0x0A,
        /// Carries control codes.
        IOCTL = 0x0B,
        /// Asks for the end of a request that waits; it has no response.
        CANCEL = 0x0C,
        /// Tests the connection.
        ECHO = 0x0D,
        /// Lists a directory.
        QUERY_DIRECTORY = 0x0E,
        /// Waits for changes in a directory.
        CHANGE_NOTIFY = 0x0F,
        /// Reads attributes of a file, its file system, its security or its quota.
        QUERY_INFO = 0x10,
        /// Sets attributes of a file, its file system, its security or its quota.
        SET_INFO = 0x11,
        /// Tells of an oplock or lease break, or acknowledges it.
        OPLOCK_BREAK = 0x12,
        /// Tells a client of an event without a request (SMB 3.1.1); only a server sends it.
        SERVER_TO_CLIENT_NOTIFICATION = 0x13,
    }
}
