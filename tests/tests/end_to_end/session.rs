//! A mounted share, seen by one user through `nfs3_client`.

use std::{
    net::SocketAddr,
    ops::{Deref, DerefMut},
    path::Path,
    time::{Duration, Instant},
};

use dittofs_tests::server::{Home, ONE_SHARE, Server};
use nfs3_client::{
    ConnectError, MountError, Nfs3Connection, Nfs3ConnectionBuilder,
    net::Connector,
    nfs3_types::{
        mount::mountstat3,
        nfs3::*,
        rpc::{auth_unix, opaque_auth},
        xdr_codec::Opaque,
    },
    tokio::{TokioConnector, TokioIo},
};
use tokio::net::TcpStream;

/// A folder for servers of this configuration, or of none.
pub(crate) fn home(configuration: Option<&str>) -> Home {
    Home::new(Path::new(env!("CARGO_BIN_EXE_dittofs-under-test")), configuration)
}

/// A server of this configuration.
pub(crate) fn serve(configuration: &str) -> Server {
    home(Some(configuration)).start()
}

/// A server of one share without squashing, and root's session on it.
pub(crate) async fn root_session() -> (Server, Session) {
    let server = serve(ONE_SHARE);
    let session = Session::open(server.address(), "/export", &user(0, 0, &[])).await;
    (server, session)
}

/// Who calls.
pub(crate) fn user(uid: u32, gid: u32, gids: &[u32]) -> auth_unix {
    auth_unix { machinename: Opaque::borrowed(b"suite"), uid, gid, gids: gids.to_vec(), ..auth_unix::default() }
}

/// The client's connections, and the share's root.
pub(crate) struct Session {
    nfs: Nfs3Connection<TokioIo<TcpStream>>,
    pub(crate) root: nfs_fh3,
}

impl Session {
    pub(crate) async fn open(address: SocketAddr, path: &str, who: &auth_unix) -> Session {
        Session::mount(address, path, who).await.unwrap_or_else(|refused| panic!("{path}: {refused:?}"))
    }

    /// A session, or why the mount was refused.
    pub(crate) async fn mount(address: SocketAddr, path: &str, who: &auth_unix) -> Result<Session, mountstat3> {
        Session::mount_through(TokioConnector, address, path, who).await
    }

    /// The same, over connections that the caller's connector makes.
    pub(crate) async fn mount_through(
        connector: impl Connector<Connection = TokioIo<TcpStream>>,
        address: SocketAddr,
        path: &str,
        who: &auth_unix,
    ) -> Result<Session, mountstat3> {
        let builder = Nfs3ConnectionBuilder::new(connector, address.ip().to_string(), path);
        let builder = builder.connect_from_privileged_port(false).mount_port(address.port()).nfs3_port(address.port());
        match builder.credential(opaque_auth::auth_unix(who)).mount().await {
            Ok(nfs) => Ok(Session { root: nfs.root_nfs_fh3(), nfs }),
            Err(ConnectError::Mount(MountError::Denied(status))) => Err(status),
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// Makes a file, which must not exist.
    pub(crate) async fn make_file(&mut self, directory: &nfs_fh3, name: &[u8], mode: u32) -> nfs_fh3 {
        let how = createhow3::GUARDED(with_mode(mode));
        let made = self.create(&CREATE3args { where_: place(directory, name), how }).await.unwrap();
        made.unwrap().obj.unwrap()
    }

    /// Makes a directory.
    pub(crate) async fn make_directory(&mut self, directory: &nfs_fh3, name: &[u8], mode: u32) -> nfs_fh3 {
        let arguments = MKDIR3args { where_: place(directory, name), attributes: with_mode(mode) };
        self.mkdir(&arguments).await.unwrap().unwrap().obj.unwrap()
    }

    /// Makes a symlink, or says why not.
    pub(crate) async fn make_symlink(&mut self, directory: &nfs_fh3, name: &[u8], target: &[u8]) -> SYMLINK3res {
        let symlink = symlinkdata3 { symlink_attributes: sattr3::default(), symlink_data: target.into() };
        self.symlink(&SYMLINK3args { where_: place(directory, name), symlink }).await.unwrap()
    }

    pub(crate) async fn attributes_of(&mut self, node: &nfs_fh3) -> fattr3 {
        self.getattr(&node.clone().into()).await.unwrap().unwrap().obj_attributes
    }

    /// The status of a GETATTR: whether a handle is good.
    pub(crate) async fn state_of(&mut self, node: &nfs_fh3) -> nfsstat3 {
        status(&self.getattr(&node.clone().into()).await.unwrap())
    }

    /// The handle that a name leads to.
    pub(crate) async fn find(&mut self, directory: &nfs_fh3, name: &[u8]) -> Result<nfs_fh3, nfsstat3> {
        match self.lookup(&LOOKUP3args { what: place(directory, name) }).await.unwrap() {
            Nfs3Result::Ok(found) => Ok(found.object),
            Nfs3Result::Err((status, _)) => Err(status),
        }
    }

    pub(crate) async fn write_at(&mut self, file: &nfs_fh3, offset: u64, data: &[u8], stable: stable_how) -> WRITE3res {
        let data = Opaque::borrowed(data);
        let arguments = WRITE3args { file: file.clone(), offset, count: data.len() as u32, stable, data };
        self.write(&arguments).await.unwrap()
    }

    /// Reads as clients do: what is answered with JUKEBOX is asked for again.
    pub(crate) async fn read_at(&mut self, file: &nfs_fh3, offset: u64, count: u32) -> READ3resok<'static> {
        let request = READ3args { file: file.clone(), offset, count };
        let began = Instant::now();
        loop {
            match self.read(&request).await.unwrap() {
                Nfs3Result::Err((nfsstat3::NFS3ERR_JUKEBOX, _)) if began.elapsed() < Duration::from_secs(30) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                result => break result.unwrap(),
            }
        }
    }

    pub(crate) async fn set(
        &mut self,
        object: &nfs_fh3,
        new_attributes: sattr3,
        guard: Option<nfstime3>,
    ) -> SETATTR3res {
        let guard = guard.map_or(Nfs3Option::None, Nfs3Option::Some);
        self.setattr(&SETATTR3args { object: object.clone(), new_attributes, guard }).await.unwrap()
    }

    pub(crate) async fn remove_file(&mut self, directory: &nfs_fh3, name: &[u8]) -> REMOVE3res {
        self.remove(&REMOVE3args { object: place(directory, name) }).await.unwrap()
    }

    pub(crate) async fn remove_directory(&mut self, directory: &nfs_fh3, name: &[u8]) -> RMDIR3res {
        self.rmdir(&RMDIR3args { object: place(directory, name) }).await.unwrap()
    }

    pub(crate) async fn move_to(&mut self, from: (&nfs_fh3, &[u8]), to: (&nfs_fh3, &[u8])) -> RENAME3res {
        self.rename(&RENAME3args { from: place(from.0, from.1), to: place(to.0, to.1) }).await.unwrap()
    }
}

impl Deref for Session {
    type Target = Nfs3Connection<TokioIo<TcpStream>>;

    fn deref(&self) -> &Self::Target {
        &self.nfs
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.nfs
    }
}

pub(crate) fn place<'n>(directory: &nfs_fh3, name: &'n [u8]) -> diropargs3<'n> {
    diropargs3 { dir: directory.clone(), name: name.into() }
}

pub(crate) fn with_mode(mode: u32) -> sattr3 {
    sattr3 { mode: Nfs3Option::Some(mode), ..sattr3::default() }
}

pub(crate) fn with_size(size: u64) -> sattr3 {
    sattr3 { size: Nfs3Option::Some(size), ..sattr3::default() }
}

pub(crate) fn status<T, E>(result: &Nfs3Result<T, E>) -> nfsstat3 {
    match result {
        Nfs3Result::Ok(_) => nfsstat3::NFS3_OK,
        Nfs3Result::Err((status, _)) => *status,
    }
}

/// A time that can be compared.
pub(crate) fn at(time: nfstime3) -> (u32, u32) {
    (time.seconds, time.nseconds)
}

/// Bytes without a period that a mistaken offset could hide in.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}
