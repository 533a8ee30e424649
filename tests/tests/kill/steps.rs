//! The steps of a client that retransmits its calls, on its names, in a circle: each step succeeds if it is done once.

use dittofs_tests::rpc::{Credential, NFS, RpcReply, record};
use nfs3_client::nfs3_types::{nfs3::*, xdr_codec::Pack};

use crate::session::{with_mode, with_size};

/// A step of the circle.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    MakeDirectory,
    RemoveDirectory,
    Symlink,
    RemoveSymlink,
    Fifo,
    RemoveFifo,
    Create,
    SetMode,
    Truncate,
    Link,
    Rename,
    RemoveLink,
    RemoveFile,
}

/// The circle.
pub(crate) const STEPS: [Step; 13] = [
    Step::MakeDirectory,
    Step::RemoveDirectory,
    Step::Symlink,
    Step::RemoveSymlink,
    Step::Fifo,
    Step::RemoveFifo,
    Step::Create,
    Step::SetMode,
    Step::Truncate,
    Step::Link,
    Step::Rename,
    Step::RemoveLink,
    Step::RemoveFile,
];

/// The file of a slot: its handle, and the time of its last change, for guards.
#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    handle: Option<nfs_fh3>,
    ctime: nfstime3,
}

/// The bytes of the call of a step in a folder, on the names of a slot with this number.
pub(crate) fn call(step: Step, of: (&nfs_fh3, usize, &File), xid: u32, credential: &Credential) -> Vec<u8> {
    use NFS_PROGRAM as P;
    let (folder, number, file) = of;
    let at = |kind: &str| diropargs3 { dir: folder.clone(), name: format!("{kind}{number}").into_bytes().into() };
    let object = || file.handle.clone().unwrap_or_else(|| folder.clone());
    let attributes = sattr3::default;
    let set = |new_attributes: sattr3| {
        let guard = Nfs3Option::Some(file.ctime);
        let arguments = SETATTR3args { object: object(), new_attributes, guard };
        packed(P::NFSPROC3_SETATTR, &arguments, xid, credential)
    };
    let remove = |kind: &str| packed(P::NFSPROC3_REMOVE, &REMOVE3args { object: at(kind) }, xid, credential);
    match step {
        Step::MakeDirectory => {
            let arguments = MKDIR3args { where_: at("d"), attributes: attributes() };
            packed(P::NFSPROC3_MKDIR, &arguments, xid, credential)
        }
        Step::RemoveDirectory => packed(P::NFSPROC3_RMDIR, &RMDIR3args { object: at("d") }, xid, credential),
        Step::Symlink => {
            let symlink = symlinkdata3 { symlink_attributes: attributes(), symlink_data: b"target".to_vec().into() };
            packed(P::NFSPROC3_SYMLINK, &SYMLINK3args { where_: at("s"), symlink }, xid, credential)
        }
        Step::Fifo => {
            let arguments = MKNOD3args { where_: at("p"), what: mknoddata3::NF3FIFO(attributes()) };
            packed(P::NFSPROC3_MKNOD, &arguments, xid, credential)
        }
        Step::Create => {
            let arguments = CREATE3args { where_: at("f"), how: createhow3::GUARDED(attributes()) };
            packed(P::NFSPROC3_CREATE, &arguments, xid, credential)
        }
        Step::SetMode => set(with_mode(0o640)),
        Step::Truncate => set(with_size(4_000)),
        Step::Link => packed(P::NFSPROC3_LINK, &LINK3args { file: object(), link: at("l") }, xid, credential),
        Step::Rename => packed(P::NFSPROC3_RENAME, &RENAME3args { from: at("f"), to: at("r") }, xid, credential),
        Step::RemoveSymlink => remove("s"),
        Step::RemoveFifo => remove("p"),
        Step::RemoveLink => remove("l"),
        Step::RemoveFile => remove("r"),
    }
}

fn packed(procedure: NFS_PROGRAM, arguments: &impl Pack, xid: u32, credential: &Credential) -> Vec<u8> {
    record(xid, NFS, procedure as u32, credential, arguments)
}

/// Takes a success: whether it says what was before. Only who has carried a call out just now knows that.
///
/// # Errors
/// The status of a failure.
pub(crate) fn outcome(step: Step, reply: &RpcReply, file: &mut File) -> Result<bool, nfsstat3> {
    match step {
        Step::MakeDirectory => {
            let done = succeeded(reply.results::<MKDIR3res>())?;
            Ok(made(&done.obj, &done.dir_wcc))
        }
        Step::Symlink => {
            let done = succeeded(reply.results::<SYMLINK3res>())?;
            Ok(made(&done.obj, &done.dir_wcc))
        }
        Step::Fifo => {
            let done = succeeded(reply.results::<MKNOD3res>())?;
            Ok(made(&done.obj, &done.dir_wcc))
        }
        Step::Create => {
            let done = succeeded(reply.results::<CREATE3res>())?;
            let (Nfs3Option::Some(handle), Nfs3Option::Some(attributes)) = (done.obj, done.obj_attributes) else {
                panic!("a creation without handle or attributes");
            };
            *file = File { handle: Some(handle), ctime: attributes.ctime };
            Ok(knows_before(&done.dir_wcc))
        }
        Step::SetMode | Step::Truncate => {
            let done = succeeded(reply.results::<SETATTR3res>())?;
            let Nfs3Option::Some(after) = &done.obj_wcc.after else { panic!("no attributes after SETATTR") };
            file.ctime = after.ctime;
            Ok(knows_before(&done.obj_wcc))
        }
        Step::Link => Ok(knows_before(&succeeded(reply.results::<LINK3res>())?.linkdir_wcc)),
        Step::Rename => Ok(knows_before(&succeeded(reply.results::<RENAME3res>())?.fromdir_wcc)),
        Step::RemoveDirectory => Ok(knows_before(&succeeded(reply.results::<RMDIR3res>())?.dir_wcc)),
        Step::RemoveSymlink | Step::RemoveFifo | Step::RemoveLink | Step::RemoveFile => {
            Ok(knows_before(&succeeded(reply.results::<REMOVE3res>())?.dir_wcc))
        }
    }
}

fn made(handle: &Nfs3Option<nfs_fh3>, wcc: &wcc_data) -> bool {
    assert!(matches!(handle, Nfs3Option::Some(_)), "a creation without a handle");
    knows_before(wcc)
}

fn succeeded<T, E>(result: Nfs3Result<T, E>) -> Result<T, nfsstat3> {
    match result {
        Nfs3Result::Ok(done) => Ok(done),
        Nfs3Result::Err((status, _)) => Err(status),
    }
}

fn knows_before(wcc: &wcc_data) -> bool {
    matches!(wcc.before, Nfs3Option::Some(_))
}
