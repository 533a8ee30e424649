//! The program: hands out the handles that NFS begins with.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{FsError, error::FsResult};
use dittofs_ports::{AdminService, EntryService, Presented};
use dittofs_xdr::{LinkedList, XdrError};
use parking_lot::Mutex;

use super::{
    PROGRAM, VERSION, VERSION_1,
    mounts::{Mounts, plain},
    wire::*,
};
use crate::{
    nfs3::wire::nfs_fh3,
    presented::presented,
    rpc::{self, Call, Operations, Program, Reply},
};

/// The flavours that NFS is served with.
const AUTH_SYS: u32 = 1;
const AUTH_NONE: u32 = 0;
/// The length of a handle in version 1, which is that of ours.
const FHSIZE_1: usize = 32;

const OPERATIONS: Operations = Operations {
    protocol: "mount3",
    procedures: &[
        rpc::Procedure::sure("NULL"),
        rpc::Procedure::new("MNT"),
        rpc::Procedure::sure("DUMP"),
        rpc::Procedure::sure("UMNT"),
        rpc::Procedure::sure("UMNTALL"),
        rpc::Procedure::sure("EXPORT"),
    ],
    statuses: &[
        (0, "OK"),
        (1, "PERM"),
        (2, "NOENT"),
        (5, "IO"),
        (13, "ACCES"),
        (20, "NOTDIR"),
        (22, "INVAL"),
        (63, "NAMETOOLONG"),
        (10_004, "NOTSUPP"),
        (10_006, "SERVERFAULT"),
    ],
};

/// MOUNT, versions 3 and 1.
pub struct Mount3 {
    entry: Arc<dyn EntryService>,
    admin: Arc<dyn AdminService>,
    mounts: Mutex<Mounts>,
}

impl Mount3 {
    /// The program over these services.
    pub fn new(entry: Arc<dyn EntryService>, admin: Arc<dyn AdminService>) -> Mount3 {
        Mount3 { entry, admin, mounts: Mutex::default() }
    }

    async fn answer(&self, mut call: Call) -> Result<Reply, XdrError> {
        let Some(procedure) = Procedure::of(call.procedure) else { return Ok(Reply::proc_unavail()) };
        let peer = call.peer.ip().to_canonical();
        Ok(match procedure {
            Procedure::NULL => Reply::success(&()),
            Procedure::MNT => {
                let path: dirpath = call.decode()?;
                let mounted = self.mount(&presented(&call), &plain(&path.0)).await;
                if call.version == VERSION_1 { mounted_1(mounted) } else { mounted_3(mounted) }
            }
            Procedure::DUMP => {
                call.decode::<()>()?;
                Reply::success(&self.dump())
            }
            Procedure::UMNT => {
                let path: dirpath = call.decode()?;
                self.mounts.lock().remove(peer, &plain(&path.0));
                Reply::success(&())
            }
            Procedure::UMNTALL => {
                call.decode::<()>()?;
                self.mounts.lock().remove_all(peer);
                Reply::success(&())
            }
            Procedure::EXPORT => {
                call.decode::<()>()?;
                Reply::success(&self.exports())
            }
        })
    }

    async fn mount(&self, who: &Presented, path: &[u8]) -> FsResult<Mounted> {
        let address = who.address;
        let entered = match self.entry.mount(path, who).await {
            Ok(entered) => entered,
            Err(error) => {
                tracing::info!(%address, path = %path.escape_ascii(), %error, "mount refused");
                return Err(error);
            }
        };
        let handle = entered.share.handle_signer().handle(entered.node.node);
        tracing::info!(%address, path = %path.escape_ascii(), "mounted");
        self.mounts.lock().add(address, path);
        // Who comes without a name is the anonymous user: that is offered where it could have come.
        let anonymous = Presented { identity: None, ..who.clone() };
        let flavours = match self.entry.mount(path, &anonymous).await {
            Ok(_) => vec![AUTH_SYS, AUTH_NONE],
            Err(_) => vec![AUTH_SYS],
        };
        Ok(Mounted { handle: nfs_fh3::new(&handle.to_bytes()).ok_or(FsError::Io)?, flavours })
    }

    fn dump(&self) -> mountlist {
        let body = |(address, path): &(std::net::IpAddr, Bytes)| mountbody {
            ml_hostname: name(Bytes::from(address.to_string())),
            ml_directory: dirpath(path.clone()),
        };
        LinkedList(self.mounts.lock().iter().map(body).collect())
    }

    fn exports(&self) -> exports {
        let groups = |clients: Vec<String>| clients.into_iter().map(|client| name(Bytes::from(client))).collect();
        let node = |share: dittofs_ports::ShareInfo| exportnode {
            ex_dir: dirpath(Bytes::from(share.name)),
            ex_groups: LinkedList(groups(share.clients)),
        };
        LinkedList(self.admin.shares().into_iter().map(node).collect())
    }
}

/// The handle and the flavours that a client gets when it mounts.
struct Mounted {
    handle: nfs_fh3,
    /// Those that calls may have, the best first.
    flavours: Vec<u32>,
}

fn mounted_3(mounted: FsResult<Mounted>) -> Reply {
    Reply::success(&match mounted {
        Ok(Mounted { handle, flavours }) => mountres3::Ok(mountres3_ok { fhandle: handle, auth_flavors: flavours }),
        Err(error) => mountres3::Err(status(error)),
    })
}

/// Version 1's union: a status, and a handle of fixed length without more.
fn mounted_1(mounted: FsResult<Mounted>) -> Reply {
    let handle = mounted.and_then(|mounted| mounted.handle.as_bytes().try_into().map_err(|_| FsError::Io));
    match handle {
        Ok(handle) => {
            let handle: [u8; FHSIZE_1] = handle;
            Reply::success_with(64, |encoder| {
                dittofs_xdr::Encode::encode(&0u32, encoder);
                dittofs_xdr::Encode::encode(&handle, encoder);
            })
        }
        Err(error) => Reply::success(&(status(error) as u32)),
    }
}

/// The status of an error. Total, so that a new error does not compile before it has one.
fn status(error: FsError) -> mountstat3 {
    match error {
        FsError::NotPermitted => mountstat3::MNT3ERR_PERM,
        FsError::NotFound => mountstat3::MNT3ERR_NOENT,
        FsError::Access | FsError::Locked | FsError::ShareDenied | FsError::ReadOnly => mountstat3::MNT3ERR_ACCES,
        FsError::NotDirectory => mountstat3::MNT3ERR_NOTDIR,
        FsError::Invalid | FsError::BadHandle | FsError::BadCookie | FsError::BadType => mountstat3::MNT3ERR_INVAL,
        FsError::NameTooLong => mountstat3::MNT3ERR_NAMETOOLONG,
        FsError::NotSupported => mountstat3::MNT3ERR_NOTSUPP,
        FsError::Io | FsError::Stale => mountstat3::MNT3ERR_IO,
        FsError::Exists
        | FsError::IsDirectory
        | FsError::NotEmpty
        | FsError::TooManyLinks
        | FsError::TooLarge
        | FsError::NoSpace
        | FsError::Quota
        | FsError::NotSync
        | FsError::TooSmall
        | FsError::NothingThere
        | FsError::NoAttribute
        | FsError::AttributeTooLarge
        | FsError::Busy
        // It changes nothing that a client could not ask for again.
        | FsError::Unanswered => mountstat3::MNT3ERR_SERVERFAULT,
    }
}

#[async_trait]
impl Program for Mount3 {
    fn number(&self) -> u32 {
        PROGRAM
    }

    fn versions(&self) -> &'static [u32] {
        &[VERSION_1, VERSION]
    }

    fn operations(&self) -> Operations {
        OPERATIONS
    }

    fn reply_bytes_max(&self, call: &Call) -> usize {
        match Procedure::of(call.procedure) {
            Some(Procedure::DUMP) => self.mounts.lock().bytes(),
            _ => 0,
        }
    }

    fn path(&self, call: &Call) -> Option<String> {
        match Procedure::of(call.procedure)? {
            Procedure::MNT | Procedure::UMNT => {
                let path: dirpath = call.arguments.clone().get().ok()?;
                Some(String::from_utf8_lossy(&path.0).into_owned())
            }
            Procedure::NULL | Procedure::DUMP | Procedure::UMNTALL | Procedure::EXPORT => None,
        }
    }

    async fn call(&self, call: Call) -> Reply {
        self.answer(call).await.unwrap_or_else(Reply::from)
    }
}
