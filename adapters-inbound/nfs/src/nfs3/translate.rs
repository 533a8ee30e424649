//! Between the wire's types and the domain's.

use dittofs_domain::{
    Attributes, FsError, Handle, Name, NodeKind, ShareId, Timestamp,
    access::AccessMask,
    credentials::shown_owner,
    error::FsResult,
    namespace::{InitialAttributes, SetAttributes, SetTime},
};
use dittofs_ports::{Changed, Stability, WeakAttributes};

use super::wire::*;

/// No status is true, and a wrong one does harm: the connection ends without a reply, and the client sends the call again.
/// (At JUKEBOX it would send it as another call.)
#[derive(Debug)]
pub(super) struct Unanswered;

/// The status of an error. Total, so that a new error does not compile before it has one.
pub(super) fn status(error: FsError) -> Result<nfsstat3, Unanswered> {
    Ok(match error {
        FsError::Access | FsError::Locked | FsError::ShareDenied => nfsstat3::NFS3ERR_ACCES,
        FsError::NotPermitted => nfsstat3::NFS3ERR_PERM,
        FsError::NotFound => nfsstat3::NFS3ERR_NOENT,
        FsError::Exists => nfsstat3::NFS3ERR_EXIST,
        FsError::NotDirectory => nfsstat3::NFS3ERR_NOTDIR,
        FsError::IsDirectory => nfsstat3::NFS3ERR_ISDIR,
        FsError::NotEmpty => nfsstat3::NFS3ERR_NOTEMPTY,
        FsError::Invalid => nfsstat3::NFS3ERR_INVAL,
        FsError::NameTooLong => nfsstat3::NFS3ERR_NAMETOOLONG,
        FsError::TooManyLinks => nfsstat3::NFS3ERR_MLINK,
        FsError::TooLarge => nfsstat3::NFS3ERR_FBIG,
        FsError::NoSpace => nfsstat3::NFS3ERR_NOSPC,
        FsError::Quota => nfsstat3::NFS3ERR_DQUOT,
        FsError::ReadOnly => nfsstat3::NFS3ERR_ROFS,
        FsError::Stale => nfsstat3::NFS3ERR_STALE,
        FsError::BadHandle => nfsstat3::NFS3ERR_BADHANDLE,
        FsError::NotSync => nfsstat3::NFS3ERR_NOT_SYNC,
        FsError::BadCookie => nfsstat3::NFS3ERR_BAD_COOKIE,
        FsError::TooSmall => nfsstat3::NFS3ERR_TOOSMALL,
        FsError::BadType => nfsstat3::NFS3ERR_BADTYPE,
        FsError::NothingThere => nfsstat3::NFS3ERR_NXIO,
        // No call of this version has to do with extended attributes.
        FsError::NoAttribute | FsError::AttributeTooLarge => nfsstat3::NFS3ERR_INVAL,
        FsError::Busy => nfsstat3::NFS3ERR_JUKEBOX,
        FsError::NotSupported => nfsstat3::NFS3ERR_NOTSUPP,
        FsError::Io => nfsstat3::NFS3ERR_IO,
        FsError::Unanswered => return Err(Unanswered),
    })
}

/// A node's attributes on the wire. `share` is the fsid.
pub(super) fn fattr(share: ShareId, attributes: &Attributes) -> fattr3 {
    fattr3 {
        type_: file_type(attributes.kind),
        mode: u32::from(attributes.mode),
        nlink: attributes.links,
        uid: shown_owner(attributes.uid),
        gid: shown_owner(attributes.gid),
        size: attributes.size,
        used: attributes.used,
        rdev: specdata3 { specdata1: attributes.device.major, specdata2: attributes.device.minor },
        fsid: share.0,
        fileid: attributes.node.0,
        atime: time(attributes.atime),
        mtime: time(attributes.mtime),
        ctime: time(attributes.ctime),
    }
}

fn file_type(kind: NodeKind) -> ftype3 {
    match kind {
        NodeKind::File | NodeKind::Stream => ftype3::NF3REG,
        NodeKind::Directory => ftype3::NF3DIR,
        NodeKind::Symlink => ftype3::NF3LNK,
        NodeKind::Fifo => ftype3::NF3FIFO,
        NodeKind::Socket => ftype3::NF3SOCK,
        NodeKind::BlockDevice => ftype3::NF3BLK,
        NodeKind::CharDevice => ftype3::NF3CHR,
    }
}

/// A time on the wire. Seconds have 32 bits without a sign, so times before 1970 or after 2106 are clamped.
pub(super) fn time(time: Timestamp) -> nfstime3 {
    let seconds = time.seconds().clamp(0, i64::from(u32::MAX));
    nfstime3 { seconds: seconds as u32, nseconds: time.nanos() }
}

/// Returns the attributes of a node before and after a procedure changed it.
pub(super) fn wcc(share: ShareId, changed: &Changed) -> wcc_data {
    wcc_data { before: changed.before.as_ref().map(weak), after: Some(fattr(share, &changed.after)) }
}

fn weak(attributes: &WeakAttributes) -> wcc_attr {
    wcc_attr { size: attributes.size, mtime: time(attributes.mtime), ctime: time(attributes.ctime) }
}

/// A handle on the wire.
pub(super) fn fh(handle: &Handle) -> post_op_fh3 {
    nfs_fh3::new(&handle.to_bytes())
}

/// A name that is to be made, removed or renamed: `.` and `..` are none.
///
/// # Errors
/// `NotFound` for the empty name, as RFC 1813 leaves it open and clients expect of a look-up; else as [`Name::new`].
pub(super) fn name(bytes: &[u8]) -> FsResult<Name> {
    Name::new(bytes)
}

fn set_time(time: &set_time) -> FsResult<SetTime> {
    Ok(match time {
        set_time::DONT_CHANGE => SetTime::Keep,
        set_time::SET_TO_SERVER_TIME => SetTime::Now,
        set_time::SET_TO_CLIENT_TIME(time) => SetTime::To(timestamp(time)?),
    })
}

/// A time from the wire.
///
/// # Errors
/// `Invalid` if it has a second or more of nanoseconds.
pub(super) fn timestamp(time: &nfstime3) -> FsResult<Timestamp> {
    Timestamp::new(i64::from(time.seconds), time.nseconds).ok_or(FsError::Invalid)
}

fn mode(mode: Option<u32>) -> Option<u16> {
    mode.map(|mode| (mode & u32::from(dittofs_domain::node::mode::ALL)) as u16)
}

/// Attributes to set.
///
/// # Errors
/// `Invalid` for a time that is none.
pub(super) fn set_attributes(attributes: &sattr3, guard: Option<&nfstime3>) -> FsResult<SetAttributes> {
    let InitialAttributes { mode, uid, gid, size, atime, mtime } = initial(attributes)?;
    let guard = guard.map(timestamp).transpose()?;
    Ok(SetAttributes { mode, uid, gid, size, atime, mtime, guard, ..SetAttributes::default() })
}

/// Attributes of something new.
///
/// # Errors
/// `Invalid` for a time that is none.
pub(super) fn initial(attributes: &sattr3) -> FsResult<InitialAttributes> {
    Ok(InitialAttributes {
        mode: mode(attributes.mode),
        uid: attributes.uid,
        gid: attributes.gid,
        size: attributes.size,
        atime: set_time(&attributes.atime)?,
        mtime: set_time(&attributes.mtime)?,
    })
}

pub(super) fn stability(stable: stable_how) -> Stability {
    match stable {
        stable_how::UNSTABLE => Stability::Unstable,
        stable_how::DATA_SYNC => Stability::Data,
        stable_how::FILE_SYNC => Stability::File,
    }
}

pub(super) fn committed(stability: Stability) -> stable_how {
    match stability {
        Stability::Unstable => stable_how::UNSTABLE,
        Stability::Data => stable_how::DATA_SYNC,
        Stability::File => stable_how::FILE_SYNC,
    }
}

/// The rights of ACCESS that a mask grants (RFC 1813, 3.3.4).
pub(super) fn access(kind: NodeKind, mask: AccessMask, read_only: bool) -> u32 {
    let mut granted = 0;
    let mut grant = |bit: u32, needed: AccessMask| {
        if mask.contains(needed) {
            granted |= bit;
        }
    };
    if kind == NodeKind::Directory {
        grant(ACCESS3_READ, AccessMask::LIST_DIRECTORY);
        grant(ACCESS3_LOOKUP, AccessMask::EXECUTE);
        let change = AccessMask::EXECUTE | AccessMask::ADD_FILE;
        grant(ACCESS3_MODIFY, change | AccessMask::DELETE_CHILD);
        grant(ACCESS3_EXTEND, change);
        grant(ACCESS3_DELETE, AccessMask::EXECUTE | AccessMask::DELETE_CHILD);
    } else {
        grant(ACCESS3_READ, AccessMask::READ_DATA);
        grant(ACCESS3_MODIFY, AccessMask::WRITE_DATA);
        grant(ACCESS3_EXTEND, AccessMask::APPEND_DATA);
        grant(ACCESS3_EXECUTE, AccessMask::EXECUTE);
    }
    if read_only { granted & (ACCESS3_READ | ACCESS3_LOOKUP | ACCESS3_EXECUTE) } else { granted }
}
