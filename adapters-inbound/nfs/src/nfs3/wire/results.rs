use dittofs_xdr::{Decode, Decoder, Encode, Encoder, Payload, XdrError};

use super::{fattr3, nfsstat3::NFS3_OK};
use super::{nfs_fh3, nfspath3, nfsstat3, nfstime3, post_op_attr, post_op_fh3, stable_how, wcc_data, writeverf3};

/// The result of a procedure: a union over its status. The status of `Err` is never NFS3_OK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nfs3Result<T, F> {
    Ok(T),
    Err(nfsstat3, F),
}

impl<T: Decode, F: Decode> Decode for Nfs3Result<T, F> {
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        match decoder.get()? {
            NFS3_OK => decoder.get().map(Self::Ok),
            status => Ok(Self::Err(status, decoder.get()?)),
        }
    }
}

impl<T: Encode, F: Encode> Encode for Nfs3Result<T, F> {
    #[inline]
    fn encode(&self, encoder: &mut Encoder) {
        match self {
            Self::Ok(result) => {
                NFS3_OK.encode(encoder);
                result.encode(encoder);
            }
            Self::Err(status, failure) => {
                debug_assert_ne!(*status, NFS3_OK);
                status.encode(encoder);
                failure.encode(encoder);
            }
        }
    }
}

pub type GETATTR3res = Nfs3Result<GETATTR3resok, ()>;
pub type SETATTR3res = Nfs3Result<SETATTR3resok, wcc_data>;
pub type LOOKUP3res = Nfs3Result<LOOKUP3resok, post_op_attr>;
pub type ACCESS3res = Nfs3Result<ACCESS3resok, post_op_attr>;
pub type READLINK3res = Nfs3Result<READLINK3resok, post_op_attr>;
pub type READ3res = Nfs3Result<READ3resok, post_op_attr>;
pub type WRITE3res = Nfs3Result<WRITE3resok, wcc_data>;
pub type CREATE3res = Nfs3Result<CREATE3resok, wcc_data>;
pub type MKDIR3res = Nfs3Result<CREATE3resok, wcc_data>;
pub type SYMLINK3res = Nfs3Result<CREATE3resok, wcc_data>;
pub type MKNOD3res = Nfs3Result<CREATE3resok, wcc_data>;
pub type REMOVE3res = Nfs3Result<REMOVE3resok, wcc_data>;
pub type RMDIR3res = Nfs3Result<REMOVE3resok, wcc_data>;
pub type RENAME3res = Nfs3Result<RENAME3resok, RENAME3resok>;
pub type LINK3res = Nfs3Result<LINK3resok, LINK3resok>;
pub type FSSTAT3res = Nfs3Result<FSSTAT3resok, post_op_attr>;
pub type FSINFO3res = Nfs3Result<FSINFO3resok, post_op_attr>;
pub type PATHCONF3res = Nfs3Result<PATHCONF3resok, post_op_attr>;
pub type COMMIT3res = Nfs3Result<COMMIT3resok, wcc_data>;

/// Section 3.3.1.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct GETATTR3resok {
    pub obj_attributes: fattr3,
}

/// Section 3.3.2.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct SETATTR3resok {
    pub obj_wcc: wcc_data,
}

/// Section 3.3.3.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct LOOKUP3resok {
    pub object: nfs_fh3,
    pub obj_attributes: post_op_attr,
    pub dir_attributes: post_op_attr,
}

/// Section 3.3.4.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct ACCESS3resok {
    pub obj_attributes: post_op_attr,
    pub access: u32,
}

/// Section 3.3.5.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct READLINK3resok {
    pub symlink_attributes: post_op_attr,
    pub data: nfspath3,
}

/// Section 3.3.6. The data go out in the pieces in which they come, without a copy.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct READ3resok {
    pub file_attributes: post_op_attr,
    pub count: u32,
    pub eof: bool,
    pub data: Payload,
}

/// Section 3.3.7.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct WRITE3resok {
    pub file_wcc: wcc_data,
    pub count: u32,
    pub committed: stable_how,
    pub verf: writeverf3,
}

/// Sections 3.3.8 to 3.3.11: CREATE, MKDIR, SYMLINK and MKNOD answer alike.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct CREATE3resok {
    pub obj: post_op_fh3,
    pub obj_attributes: post_op_attr,
    pub dir_wcc: wcc_data,
}

/// Sections 3.3.12 and 3.3.13: REMOVE and RMDIR answer alike.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct REMOVE3resok {
    pub dir_wcc: wcc_data,
}

/// Section 3.3.14; the same after a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode, Encode)]
pub struct RENAME3resok {
    pub fromdir_wcc: wcc_data,
    pub todir_wcc: wcc_data,
}

/// Section 3.3.15; the same after a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Decode, Encode)]
pub struct LINK3resok {
    pub file_attributes: post_op_attr,
    pub linkdir_wcc: wcc_data,
}

/// Section 3.3.18.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct FSSTAT3resok {
    pub obj_attributes: post_op_attr,
    pub tbytes: u64,
    pub fbytes: u64,
    pub abytes: u64,
    pub tfiles: u64,
    pub ffiles: u64,
    pub afiles: u64,
    pub invarsec: u32,
}

/// Section 3.3.19.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct FSINFO3resok {
    pub obj_attributes: post_op_attr,
    pub rtmax: u32,
    pub rtpref: u32,
    pub rtmult: u32,
    pub wtmax: u32,
    pub wtpref: u32,
    pub wtmult: u32,
    pub dtpref: u32,
    pub maxfilesize: u64,
    pub time_delta: nfstime3,
    pub properties: u32,
}

/// Section 3.3.20.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct PATHCONF3resok {
    pub obj_attributes: post_op_attr,
    pub linkmax: u32,
    pub name_max: u32,
    pub no_trunc: bool,
    pub chown_restricted: bool,
    pub case_insensitive: bool,
    pub case_preserving: bool,
}

/// Section 3.3.21.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct COMMIT3resok {
    pub file_wcc: wcc_data,
    pub verf: writeverf3,
}
