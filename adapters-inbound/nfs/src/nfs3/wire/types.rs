use std::fmt;

use bytes::Bytes;
use dittofs_xdr::{Decode, Decoder, Encode, Encoder, XdrError};

/// The longest file handle (section 2.4).
pub const NFS3_FHSIZE: usize = 64;

pub type cookieverf3 = [u8; 8];
pub type createverf3 = [u8; 8];
pub type writeverf3 = [u8; 8];

/// A file handle, held inline (section 2.3.3).
#[derive(Clone, Copy)]
pub struct nfs_fh3 {
    length: u8,
    data: [u8; NFS3_FHSIZE],
}

impl nfs_fh3 {
    /// A handle of these bytes; `None` if there are more than [`NFS3_FHSIZE`].
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut data = [0; NFS3_FHSIZE];
        data.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Self { length: u8::try_from(bytes.len()).ok()?, data })
    }

    /// The handle's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.data.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl PartialEq for nfs_fh3 {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for nfs_fh3 {}

impl fmt::Debug for nfs_fh3 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("nfs_fh3").field("data", &self.as_bytes()).finish()
    }
}

impl Decode for nfs_fh3 {
    #[inline]
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        Self::new(decoder.opaque_slice(NFS3_FHSIZE)?).ok_or(XdrError::TooLong)
    }
}

impl Encode for nfs_fh3 {
    #[inline]
    fn encode(&self, encoder: &mut Encoder) {
        encoder.put_opaque(self.as_bytes());
    }
}

/// A name in a directory: bytes, bounded by the record only. Whoever handles the call refuses a long one with NFS3ERR_NAMETOOLONG,
/// which a decoder could not.
pub type filename3 = Bytes;

/// A symbolic link's target; bounded like [`filename3`].
pub type nfspath3 = Bytes;

/// Where an entry is, or is to be (section 2.3.6).
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct diropargs3 {
    pub dir: nfs_fh3,
    pub name: filename3,
}

/// The outcome of a procedure (section 2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Decode, Encode)]
pub enum nfsstat3 {
    NFS3_OK = 0,
    NFS3ERR_PERM = 1,
    NFS3ERR_NOENT = 2,
    NFS3ERR_IO = 5,
    NFS3ERR_NXIO = 6,
    NFS3ERR_ACCES = 13,
    NFS3ERR_EXIST = 17,
    NFS3ERR_XDEV = 18,
    NFS3ERR_NODEV = 19,
    NFS3ERR_NOTDIR = 20,
    NFS3ERR_ISDIR = 21,
    NFS3ERR_INVAL = 22,
    NFS3ERR_FBIG = 27,
    NFS3ERR_NOSPC = 28,
    NFS3ERR_ROFS = 30,
    NFS3ERR_MLINK = 31,
    NFS3ERR_NAMETOOLONG = 63,
    NFS3ERR_NOTEMPTY = 66,
    NFS3ERR_DQUOT = 69,
    NFS3ERR_STALE = 70,
    NFS3ERR_REMOTE = 71,
    NFS3ERR_BADHANDLE = 10001,
    NFS3ERR_NOT_SYNC = 10002,
    NFS3ERR_BAD_COOKIE = 10003,
    NFS3ERR_NOTSUPP = 10004,
    NFS3ERR_TOOSMALL = 10005,
    NFS3ERR_SERVERFAULT = 10006,
    NFS3ERR_BADTYPE = 10007,
    NFS3ERR_JUKEBOX = 10008,
}

/// How durable a write has to be, or is (section 3.3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Decode, Encode)]
pub enum stable_how {
    UNSTABLE = 0,
    DATA_SYNC = 1,
    FILE_SYNC = 2,
}

/// The rights that ACCESS asks for and grants (section 3.3.4).
pub const ACCESS3_READ: u32 = 0x01;
pub const ACCESS3_LOOKUP: u32 = 0x02;
pub const ACCESS3_MODIFY: u32 = 0x04;
pub const ACCESS3_EXTEND: u32 = 0x08;
pub const ACCESS3_DELETE: u32 = 0x10;
pub const ACCESS3_EXECUTE: u32 = 0x20;

/// The properties of a file system (section 3.3.19).
pub const FSF3_LINK: u32 = 0x01;
pub const FSF3_SYMLINK: u32 = 0x02;
pub const FSF3_HOMOGENEOUS: u32 = 0x08;
pub const FSF3_CANSETTIME: u32 = 0x10;
