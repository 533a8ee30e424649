//! The status codes that an SMB file server sends.

use crate::layout::open_integer;

open_integer! {
    /// The outcome of a request. Values that have no name here are kept as they are.
    pub struct NtStatus(u32) {
        /// The request succeeded.
        SUCCESS = 0x0000_0000,
        /// The request goes on; a final response will follow.
        PENDING = 0x0000_0103,
        /// The directory that was watched for changes was closed.
        NOTIFY_CLEANUP = 0x0000_010B,
        /// There were more changes than the buffer holds: list the directory again.
        NOTIFY_ENUM_DIR = 0x0000_010C,
        /// The buffer holds only the first part of the data.
        BUFFER_OVERFLOW = 0x8000_0005,
        /// The listing is at its end.
        NO_MORE_FILES = 0x8000_0006,
        /// There are no further extended attributes.
        NO_MORE_EAS = 0x8000_0012,
        /// The name of an extended attribute holds a character that it can't.
        INVALID_EA_NAME = 0x8000_0013,
        /// The list of extended attributes can't be read.
        EA_LIST_INCONSISTENT = 0x8000_0014,
        /// The enumeration is at its end.
        NO_MORE_ENTRIES = 0x8000_001A,
        /// A part of the path is a symbolic link, which the client is to resolve.
        STOPPED_ON_SYMLINK = 0x8000_002D,
        /// The request failed for a reason that has no status.
        UNSUCCESSFUL = 0xC000_0001,
        /// The operation is not implemented.
        NOT_IMPLEMENTED = 0xC000_0002,
        /// The class of attributes is unknown, or not of this kind.
        INVALID_INFO_CLASS = 0xC000_0003,
        /// The buffer has not the length that the class needs.
        INFO_LENGTH_MISMATCH = 0xC000_0004,
        /// The handle is of no use for the operation.
        INVALID_HANDLE = 0xC000_0008,
        /// The request can't be read, or a value of it makes no sense.
        INVALID_PARAMETER = 0xC000_000D,
        /// There is no such device.
        NO_SUCH_DEVICE = 0xC000_000E,
        /// No entry of the directory matches the pattern.
        NO_SUCH_FILE = 0xC000_000F,
        /// The control code or operation is unknown for this kind of file.
        INVALID_DEVICE_REQUEST = 0xC000_0010,
        /// The read begins at or behind the end of the file, or finds too few bytes.
        END_OF_FILE = 0xC000_0011,
        /// The authentication needs a further token of the client.
        MORE_PROCESSING_REQUIRED = 0xC000_0016,
        /// The server lacks memory.
        NO_MEMORY = 0xC000_0017,
        /// A lock operation came out of its order.
        INVALID_LOCK_SEQUENCE = 0xC000_001E,
        /// A server-side copy begins or ends behind the end of its source.
        INVALID_VIEW_SIZE = 0xC000_001F,
        /// The user lacks a right.
        ACCESS_DENIED = 0xC000_0022,
        /// The buffer is too small for even the first part of the data.
        BUFFER_TOO_SMALL = 0xC000_0023,
        /// The object is of another type than the operation needs.
        OBJECT_TYPE_MISMATCH = 0xC000_0024,
        /// The name holds a character or form that a name can't have.
        OBJECT_NAME_INVALID = 0xC000_0033,
        /// The last part of the path does not exist.
        OBJECT_NAME_NOT_FOUND = 0xC000_0034,
        /// The name exists already.
        OBJECT_NAME_COLLISION = 0xC000_0035,
        /// A part of the path is no directory.
        OBJECT_PATH_INVALID = 0xC000_0039,
        /// A directory of the path does not exist.
        OBJECT_PATH_NOT_FOUND = 0xC000_003A,
        /// The path can't be read.
        OBJECT_PATH_SYNTAX_BAD = 0xC000_003B,
        /// The data is damaged.
        DATA_ERROR = 0xC000_003E,
        /// A checksum does not match.
        CRC_ERROR = 0xC000_003F,
        /// Another open does not share the access.
        SHARING_VIOLATION = 0xC000_0043,
        /// The user's quota is used up.
        QUOTA_EXCEEDED = 0xC000_0044,
        /// The file system has no extended attributes.
        EAS_NOT_SUPPORTED = 0xC000_004F,
        /// The extended attributes are too long.
        EA_TOO_LARGE = 0xC000_0050,
        /// There is no extended attribute with this index.
        NONEXISTENT_EA_ENTRY = 0xC000_0051,
        /// The file has no extended attributes.
        NO_EAS_ON_FILE = 0xC000_0052,
        /// The extended attributes are damaged.
        EA_CORRUPT_ERROR = 0xC000_0053,
        /// The read or write overlaps a locked range.
        FILE_LOCK_CONFLICT = 0xC000_0054,
        /// The range is locked by another open.
        LOCK_NOT_GRANTED = 0xC000_0055,
        /// The file will be deleted when its last open closes.
        DELETE_PENDING = 0xC000_0056,
        /// The revision of a structure is unknown.
        UNKNOWN_REVISION = 0xC000_0058,
        /// The user may not make this SID the owner.
        INVALID_OWNER = 0xC000_005A,
        /// The user may not make this SID the group.
        INVALID_PRIMARY_GROUP = 0xC000_005B,
        /// No server can check the credentials.
        NO_LOGON_SERVERS = 0xC000_005E,
        /// There is no such logon session.
        NO_SUCH_LOGON_SESSION = 0xC000_005F,
        /// The user lacks a privilege.
        PRIVILEGE_NOT_HELD = 0xC000_0061,
        /// There is no such user.
        NO_SUCH_USER = 0xC000_0064,
        /// The password is wrong.
        WRONG_PASSWORD = 0xC000_006A,
        /// The user or the password is wrong.
        LOGON_FAILURE = 0xC000_006D,
        /// The account may not be used in this way.
        ACCOUNT_RESTRICTION = 0xC000_006E,
        /// The account may not be used at this time.
        INVALID_LOGON_HOURS = 0xC000_006F,
        /// The account may not be used from this computer.
        INVALID_WORKSTATION = 0xC000_0070,
        /// The password has expired.
        PASSWORD_EXPIRED = 0xC000_0071,
        /// The account is disabled.
        ACCOUNT_DISABLED = 0xC000_0072,
        /// No name or SID could be translated.
        NONE_MAPPED = 0xC000_0073,
        /// The ACL can't be read.
        INVALID_ACL = 0xC000_0077,
        /// The SID can't be read.
        INVALID_SID = 0xC000_0078,
        /// The security descriptor can't be read.
        INVALID_SECURITY_DESCR = 0xC000_0079,
        /// The range to unlock is not locked.
        RANGE_NOT_LOCKED = 0xC000_007E,
        /// There is no space left.
        DISK_FULL = 0xC000_007F,
        /// The server lacks a resource.
        INSUFFICIENT_RESOURCES = 0xC000_009A,
        /// The file system is read-only.
        MEDIA_WRITE_PROTECTED = 0xC000_00A2,
        /// The storage is not ready.
        DEVICE_NOT_READY = 0xC000_00A3,
        /// The impersonation level is unknown or not enough.
        BAD_IMPERSONATION_LEVEL = 0xC000_00A5,
        /// The pipe has as many instances as it can have.
        INSTANCE_NOT_AVAILABLE = 0xC000_00AB,
        /// No instance of the pipe waits for a client.
        PIPE_NOT_AVAILABLE = 0xC000_00AC,
        /// The pipe is in the wrong state.
        INVALID_PIPE_STATE = 0xC000_00AD,
        /// The pipe is busy.
        PIPE_BUSY = 0xC000_00AE,
        /// The other end of the pipe is disconnected.
        PIPE_DISCONNECTED = 0xC000_00B0,
        /// The other end of the pipe closes.
        PIPE_CLOSING = 0xC000_00B1,
        /// The operation took too long.
        IO_TIMEOUT = 0xC000_00B5,
        /// The file is a directory, and must not be.
        FILE_IS_A_DIRECTORY = 0xC000_00BA,
        /// The request is not supported.
        NOT_SUPPORTED = 0xC000_00BB,
        /// The network is busy.
        NETWORK_BUSY = 0xC000_00BF,
        /// The response can't be read.
        INVALID_NETWORK_RESPONSE = 0xC000_00C3,
        /// The network failed.
        UNEXPECTED_NETWORK_ERROR = 0xC000_00C4,
        /// The tree connect does not exist, or no longer.
        NETWORK_NAME_DELETED = 0xC000_00C9,
        /// The network denies access.
        NETWORK_ACCESS_DENIED = 0xC000_00CA,
        /// The share is of another type.
        BAD_DEVICE_TYPE = 0xC000_00CB,
        /// There is no such share.
        BAD_NETWORK_NAME = 0xC000_00CC,
        /// There are as many sessions as there can be.
        TOO_MANY_SESSIONS = 0xC000_00CE,
        /// The server accepts no further sessions, connections or channels.
        REQUEST_NOT_ACCEPTED = 0xC000_00D0,
        /// Data could not be sent.
        NET_WRITE_FAULT = 0xC000_00D2,
        /// The new name is on another file system.
        NOT_SAME_DEVICE = 0xC000_00D4,
        /// The pipe holds no data.
        PIPE_EMPTY = 0xC000_00D9,
        /// The oplock was not granted.
        OPLOCK_NOT_GRANTED = 0xC000_00E2,
        /// The acknowledgment answers no break.
        INVALID_OPLOCK_PROTOCOL = 0xC000_00E3,
        /// The server's database is damaged.
        INTERNAL_DB_CORRUPTION = 0xC000_00E4,
        /// The server failed.
        INTERNAL_ERROR = 0xC000_00E5,
        /// The buffer can't be used.
        INVALID_USER_BUFFER = 0xC000_00E8,
        /// Input or output failed.
        UNEXPECTED_IO_ERROR = 0xC000_00E9,
        /// The directory to delete has entries.
        DIRECTORY_NOT_EMPTY = 0xC000_0101,
        /// The file is damaged.
        FILE_CORRUPT_ERROR = 0xC000_0102,
        /// The file is no directory, and must be.
        NOT_A_DIRECTORY = 0xC000_0103,
        /// The name is too long.
        NAME_TOO_LONG = 0xC000_0106,
        /// Files are still open.
        FILES_OPEN = 0xC000_0107,
        /// There are as many opens as there can be.
        TOO_MANY_OPENED_FILES = 0xC000_011F,
        /// The client cancelled the request, or it ended with its open or session.
        CANCELLED = 0xC000_0120,
        /// The file is read-only, or in use, and can't be deleted.
        CANNOT_DELETE = 0xC000_0121,
        /// The file was deleted.
        FILE_DELETED = 0xC000_0123,
        /// There is no open with this identifier.
        FILE_CLOSED = 0xC000_0128,
        /// The clocks differ too much for Kerberos.
        TIME_DIFFERENCE_AT_DC = 0xC000_0133,
        /// The user may not log on over the network.
        LOGON_TYPE_NOT_GRANTED = 0xC000_015B,
        /// A name has bytes that are no UTF-16.
        ILLEGAL_CHARACTER = 0xC000_0161,
        /// The device is in the wrong state.
        INVALID_DEVICE_STATE = 0xC000_0184,
        /// The storage failed.
        IO_DEVICE_ERROR = 0xC000_0185,
        /// The account has expired.
        ACCOUNT_EXPIRED = 0xC000_0193,
        /// The server has no DFS.
        FS_DRIVER_REQUIRED = 0xC000_019C,
        /// The range to lock ends behind the highest offset.
        INVALID_LOCK_RANGE = 0xC000_01A1,
        /// The session does not exist, or no longer.
        USER_SESSION_DELETED = 0xC000_0203,
        /// The connection is closed.
        CONNECTION_DISCONNECTED = 0xC000_020C,
        /// The connection was reset.
        CONNECTION_RESET = 0xC000_020D,
        /// The user must change the password first.
        PASSWORD_MUST_CHANGE = 0xC000_0224,
        /// The thing does not exist.
        NOT_FOUND = 0xC000_0225,
        /// The object identifier, or the application's lease key, is in use for another file.
        DUPLICATE_OBJECTID = 0xC000_022A,
        /// The file has an object identifier already.
        OBJECTID_EXISTS = 0xC000_022B,
        /// The operation can't be done now: the client is to try again.
        RETRY = 0xC000_022D,
        /// The account is locked after too many failures.
        ACCOUNT_LOCKED_OUT = 0xC000_0234,
        /// The path is on another server of the DFS tree.
        PATH_NOT_COVERED = 0xC000_0257,
        /// The file has as many hard links as it can have.
        TOO_MANY_LINKS = 0xC000_0265,
        /// The file system is no longer mounted.
        VOLUME_DISMOUNTED = 0xC000_026E,
        /// The file is no reparse point.
        NOT_A_REPARSE_POINT = 0xC000_0275,
        /// The reparse tag is invalid.
        IO_REPARSE_TAG_INVALID = 0xC000_0276,
        /// The reparse point has another tag.
        IO_REPARSE_TAG_MISMATCH = 0xC000_0277,
        /// The reparse data can't be read.
        IO_REPARSE_DATA_INVALID = 0xC000_0278,
        /// The reparse tag is unknown.
        IO_REPARSE_TAG_NOT_HANDLED = 0xC000_0279,
        /// The reparse point could not be resolved.
        REPARSE_POINT_NOT_RESOLVED = 0xC000_0280,
        /// The session's credentials have expired: the client is to authenticate again.
        NETWORK_SESSION_EXPIRED = 0xC000_035C,
        /// The file system can't do more of this.
        FILE_SYSTEM_LIMITATION = 0xC000_0427,
        /// The request came in a state in which it is not allowed.
        REQUEST_OUT_OF_SEQUENCE = 0xC000_042A,
        /// The token of an offloaded copy is invalid.
        INVALID_TOKEN = 0xC000_0465,
        /// The server is not available.
        SERVER_UNAVAILABLE = 0xC000_0466,
        /// The file is not available for now, or the ChannelSequence is an old one.
        FILE_NOT_AVAILABLE = 0xC000_0467,
        /// The oplock can't be broken without waiting.
        CANNOT_BREAK_OPLOCK = 0xC000_0909,
        /// The share has no content hashes.
        HASH_NOT_SUPPORTED = 0xC000_A100,
        /// The file has no content hashes.
        HASH_NOT_PRESENT = 0xC000_A101,
        /// The open was invalidated.
        HANDLE_NO_LONGER_VALID = 0xC019_0028,
        /// Client and server have no hash of the preauthentication integrity in common.
        SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP = 0xC05D_0000,
    }
}
