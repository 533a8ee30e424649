use bytes::Bytes;
use dittofs_xdr::{Decode, Encode};

use super::{cookieverf3, createverf3, diropargs3, nfs_fh3, nfspath3, nfstime3, sattr3, specdata3, stable_how};

/// Section 3.3.1.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct GETATTR3args {
    pub object: nfs_fh3,
}

/// Section 3.3.2.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct SETATTR3args {
    pub object: nfs_fh3,
    pub new_attributes: sattr3,
    /// The ctime that the object must have.
    pub guard: Option<nfstime3>,
}

/// Section 3.3.3.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct LOOKUP3args {
    pub what: diropargs3,
}

/// Section 3.3.4.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct ACCESS3args {
    pub object: nfs_fh3,
    pub access: u32,
}

/// Section 3.3.5.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct READLINK3args {
    pub symlink: nfs_fh3,
}

/// Section 3.3.6.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct READ3args {
    pub file: nfs_fh3,
    pub offset: u64,
    pub count: u32,
}

/// Section 3.3.7. The data are a slice of the receive buffer.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct WRITE3args {
    pub file: nfs_fh3,
    pub offset: u64,
    pub count: u32,
    pub stable: stable_how,
    pub data: Bytes,
}

/// How a file is created (section 3.3.8).
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub enum createhow3 {
    #[xdr(case = 0)]
    UNCHECKED(sattr3),
    #[xdr(case = 1)]
    GUARDED(sattr3),
    #[xdr(case = 2)]
    EXCLUSIVE(createverf3),
}

/// Section 3.3.8.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct CREATE3args {
    pub where_: diropargs3,
    pub how: createhow3,
}

/// Section 3.3.9.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct MKDIR3args {
    pub where_: diropargs3,
    pub attributes: sattr3,
}

/// The attributes and target of a symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct symlinkdata3 {
    pub symlink_attributes: sattr3,
    pub symlink_data: nfspath3,
}

/// Section 3.3.10.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct SYMLINK3args {
    pub where_: diropargs3,
    pub symlink: symlinkdata3,
}

/// The attributes and number of a device.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct devicedata3 {
    pub dev_attributes: sattr3,
    pub spec: specdata3,
}

/// The kind of special file to make (section 3.3.11). Any other type stays data, to be answered with NFS3ERR_BADTYPE.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub enum mknoddata3 {
    #[xdr(case = 4)]
    NF3CHR(devicedata3),
    #[xdr(case = 3)]
    NF3BLK(devicedata3),
    #[xdr(case = 6)]
    NF3SOCK(sattr3),
    #[xdr(case = 7)]
    NF3FIFO(sattr3),
    #[xdr(default)]
    Other(u32),
}

/// Section 3.3.11.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct MKNOD3args {
    pub where_: diropargs3,
    pub what: mknoddata3,
}

/// Section 3.3.12.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct REMOVE3args {
    pub object: diropargs3,
}

/// Section 3.3.13.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct RMDIR3args {
    pub object: diropargs3,
}

/// Section 3.3.14.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct RENAME3args {
    pub from: diropargs3,
    pub to: diropargs3,
}

/// Section 3.3.15.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct LINK3args {
    pub file: nfs_fh3,
    pub link: diropargs3,
}

/// Section 3.3.16.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct READDIR3args {
    pub dir: nfs_fh3,
    pub cookie: u64,
    pub cookieverf: cookieverf3,
    pub count: u32,
}

/// Section 3.3.17.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct READDIRPLUS3args {
    pub dir: nfs_fh3,
    pub cookie: u64,
    pub cookieverf: cookieverf3,
    pub dircount: u32,
    pub maxcount: u32,
}

/// Section 3.3.18.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct FSSTAT3args {
    pub fsroot: nfs_fh3,
}

/// Section 3.3.19.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct FSINFO3args {
    pub fsroot: nfs_fh3,
}

/// Section 3.3.20.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct PATHCONF3args {
    pub object: nfs_fh3,
}

/// Section 3.3.21.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct COMMIT3args {
    pub file: nfs_fh3,
    pub offset: u64,
    pub count: u32,
}
