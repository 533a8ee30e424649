//! The program: hands out the handles that NFS begins with.

use std::{collections::BTreeSet, net::IpAddr, ops::RangeInclusive, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{ClientId, FsError, error::FsResult};
use dittofs_ports::{AdminService, MetadataService, Presented};
use dittofs_xdr::{LinkedList, XdrError};
use parking_lot::Mutex;

use super::{PROGRAM, VERSION, VERSION_1, wire::*};
use crate::{
    nfs3::wire::nfs_fh3,
    rpc::{self, CALLS, Call, Operations, Program, Reply},
};

/// AUTH_SYS, the flavour that NFS is served with.
const AUTH_SYS: u32 = 1;
/// Mounts that are remembered for DUMP, which only informs people: beyond that the oldest are forgotten.
const MOUNTS_MAX: usize = 4_096;
/// What version 1 calls a handle has 32 bytes, which is what ours have.
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
    metadata: Arc<dyn MetadataService>,
    admin: Arc<dyn AdminService>,
    mounts: Mutex<BTreeSet<(IpAddr, Bytes)>>,
}

impl Mount3 {
    /// The program over these services.
    pub fn new(metadata: Arc<dyn MetadataService>, admin: Arc<dyn AdminService>) -> Mount3 {
        Mount3 { metadata, admin, mounts: Mutex::default() }
    }

    async fn answer(&self, mut call: Call) -> Result<Reply, XdrError> {
        let Some(procedure) = Procedure::of(call.procedure) else { return Ok(Reply::proc_unavail()) };
        let peer = call.peer.ip().to_canonical();
        Ok(match procedure {
            Procedure::NULL => Reply::success(&()),
            Procedure::MNT => {
                let path: dirpath = call.decode()?;
                let mounted = self.mount(peer, &path.0).await;
                if call.version == VERSION_1 { mounted_1(mounted) } else { mounted_3(mounted) }
            }
            Procedure::DUMP => {
                call.decode::<()>()?;
                Reply::success(&self.dump())
            }
            Procedure::UMNT => {
                let path: dirpath = call.decode()?;
                self.mounts.lock().remove(&(peer, path.0));
                Reply::success(&())
            }
            Procedure::UMNTALL => {
                call.decode::<()>()?;
                self.mounts.lock().retain(|(address, _)| *address != peer);
                Reply::success(&())
            }
            Procedure::EXPORT => {
                call.decode::<()>()?;
                Reply::success(&self.exports())
            }
        })
    }

    async fn mount(&self, address: IpAddr, path: &Bytes) -> FsResult<nfs_fh3> {
        let presented = Presented { identity: None, address, client: ClientId(0) };
        let node = match self.metadata.mount(path, &presented).await {
            Ok(node) => node,
            Err(error) => {
                tracing::info!(%address, path = %path.escape_ascii(), %error, "mount refused");
                return Err(error);
            }
        };
        let handle = self.metadata.sealer(node.share)?.handle(node.node);
        tracing::info!(%address, path = %path.escape_ascii(), "mounted");
        let mut mounts = self.mounts.lock();
        if mounts.len() >= MOUNTS_MAX {
            mounts.pop_first();
        }
        // Copied out of the request's buffer, which it outlives.
        mounts.insert((address, Bytes::copy_from_slice(path)));
        nfs_fh3::new(&handle.to_bytes()).ok_or(FsError::Io)
    }

    fn dump(&self) -> mountlist {
        let body = |(address, path): &(IpAddr, Bytes)| mountbody {
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

fn mounted_3(mounted: FsResult<nfs_fh3>) -> Reply {
    Reply::success(&match mounted {
        Ok(fhandle) => mountres3::Ok(mountres3_ok { fhandle, auth_flavors: vec![AUTH_SYS] }),
        Err(error) => mountres3::Err(status(error)),
    })
}

/// Version 1's union: a status, and a handle of fixed length without more.
fn mounted_1(mounted: FsResult<nfs_fh3>) -> Reply {
    let handle = mounted.and_then(|handle| handle.as_bytes().try_into().map_err(|_| FsError::Io));
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
        | FsError::Busy => mountstat3::MNT3ERR_SERVERFAULT,
    }
}

#[async_trait]
impl Program for Mount3 {
    fn number(&self) -> u32 {
        PROGRAM
    }

    fn versions(&self) -> RangeInclusive<u32> {
        VERSION_1..=VERSION
    }

    fn operations(&self) -> Operations {
        OPERATIONS
    }

    async fn call(&self, call: Call) -> Reply {
        if !matches!(call.version, VERSION | VERSION_1) {
            // Version 2 lies in the range, but is served by nobody.
            return Reply::prog_mismatch(VERSION_1, VERSION);
        }
        let (client, xid) = (call.peer, call.xid);
        let procedure = OPERATIONS.procedures.get(call.procedure as usize).map(|procedure| procedure.name);
        let reply = self.answer(call).await.unwrap_or_else(Reply::from);
        tracing::debug!(target: CALLS, %client, xid, procedure, outcome = ?reply.outcome(), "call of MOUNT");
        reply
    }
}
