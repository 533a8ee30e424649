//! The types of the MOUNT protocol as they are on the wire, under the names that RFC 1813 gives them.

// The names are the standard's, and so is the meaning of each field.
#![allow(missing_docs, non_camel_case_types, clippy::upper_case_acronyms)]

use bytes::Bytes;
use dittofs_xdr::{Decode, Decoder, Encode, Encoder, LinkedList, XdrError};

use crate::{nfs3::wire::nfs_fh3, rpc::numbered_procedures};

/// The longest path.
pub const MNTPATHLEN: usize = 1024;
/// The longest name of a host or group.
pub const MNTNAMLEN: usize = 255;

numbered_procedures! {
    /// The procedures (appendix I section 5.2).
    pub enum Procedure {
        NULL = 0,
        MNT = 1,
        DUMP = 2,
        UMNT = 3,
        UMNTALL = 4,
        EXPORT = 5,
    }
}

/// A path on the server: the argument of MNT and UMNT.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct dirpath(#[xdr(max = MNTPATHLEN)] pub Bytes);

/// A host or a group of hosts.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct name(#[xdr(max = MNTNAMLEN)] pub Bytes);

/// The outcome of MNT (appendix I section 5.1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Decode, Encode)]
pub enum mountstat3 {
    MNT3_OK = 0,
    MNT3ERR_PERM = 1,
    MNT3ERR_NOENT = 2,
    MNT3ERR_IO = 5,
    MNT3ERR_ACCES = 13,
    MNT3ERR_NOTDIR = 20,
    MNT3ERR_INVAL = 22,
    MNT3ERR_NAMETOOLONG = 63,
    MNT3ERR_NOTSUPP = 10004,
    MNT3ERR_SERVERFAULT = 10006,
}

/// The data that a mounted client needs: a handle, and the flavours that are accepted, best first.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct mountres3_ok {
    pub fhandle: nfs_fh3,
    #[xdr(max = 64)]
    pub auth_flavors: Vec<u32>,
}

/// The result of MNT. The status of `Err` is never MNT3_OK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum mountres3 {
    Ok(mountres3_ok),
    Err(mountstat3),
}

impl Decode for mountres3 {
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        match decoder.get()? {
            mountstat3::MNT3_OK => decoder.get().map(Self::Ok),
            status => Ok(Self::Err(status)),
        }
    }
}

impl Encode for mountres3 {
    fn encode(&self, encoder: &mut Encoder) {
        match self {
            Self::Ok(result) => {
                mountstat3::MNT3_OK.encode(encoder);
                result.encode(encoder);
            }
            Self::Err(status) => status.encode(encoder),
        }
    }
}

/// A mount that was made (appendix I section 5.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct mountbody {
    pub ml_hostname: name,
    pub ml_directory: dirpath,
}

/// The result of DUMP.
pub type mountlist = LinkedList<mountbody>;

/// A share, and who may mount it (appendix I section 5.2.5).
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct exportnode {
    pub ex_dir: dirpath,
    pub ex_groups: LinkedList<name>,
}

/// The result of EXPORT.
pub type exports = LinkedList<exportnode>;
