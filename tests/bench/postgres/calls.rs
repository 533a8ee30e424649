//! A client over NFS, one call after another.

use std::net::SocketAddr;

use dittofs_tests::rpc::{Credential, NFS, RpcConnection};
use nfs3_types::{
    nfs3::{
        COMMIT3args, COMMIT3res, CREATE3args, CREATE3res, LOOKUP3args, LOOKUP3res, MKDIR3args, MKDIR3res, Nfs3Option,
        Nfs3Result, READDIRPLUS3args, READDIRPLUS3res, WRITE3args, WRITE3res, cookieverf3, createhow3, diropargs3,
        filename3, nfs_fh3, sattr3, stable_how,
    },
    xdr_codec::Opaque,
};

pub(crate) struct Client {
    connection: RpcConnection,
    pub(crate) root: nfs_fh3,
}

fn place(directory: &nfs_fh3, name: &str) -> diropargs3<'static> {
    diropargs3 { dir: directory.clone(), name: filename3(Opaque::owned(name.as_bytes().to_vec())) }
}

fn handle(object: Nfs3Option<nfs_fh3>) -> nfs_fh3 {
    let Nfs3Option::Some(handle) = object else { panic!("no handle") };
    handle
}

impl Client {
    /// One with numbers of calls of its own.
    pub(crate) fn new(address: SocketAddr, share: &str, number: u32) -> Client {
        let mut connection = RpcConnection::open(address, Credential::user(0, 0), 1 + (number << 22));
        let root = connection.mount(share);
        Client { connection, root }
    }

    pub(crate) fn make_directory(&mut self, name: &str) -> nfs_fh3 {
        let arguments = MKDIR3args { where_: place(&self.root, name), attributes: sattr3::default() };
        match self.connection.call::<MKDIR3res>(NFS, 9, &arguments) {
            Nfs3Result::Ok(made) => handle(made.obj),
            Nfs3Result::Err((status, _)) => panic!("{name}: {status}"),
        }
    }

    pub(crate) fn create(&mut self, directory: &nfs_fh3, name: &str) -> nfs_fh3 {
        let how = createhow3::UNCHECKED(sattr3::default());
        match self.connection.call::<CREATE3res>(NFS, 8, &CREATE3args { where_: place(directory, name), how }) {
            Nfs3Result::Ok(made) => handle(made.obj),
            Nfs3Result::Err((status, _)) => panic!("{name}: {status}"),
        }
    }

    pub(crate) fn look_up(&mut self, directory: &nfs_fh3, name: &str) {
        let found: LOOKUP3res = self.connection.call(NFS, 3, &LOOKUP3args { what: place(directory, name) });
        assert!(matches!(found, Nfs3Result::Ok(_)), "{name}");
    }

    /// Writes a small file, and waits until it is durable.
    pub(crate) fn write_and_commit(&mut self, file: &nfs_fh3, bytes: &[u8]) {
        let data = Opaque::borrowed(bytes);
        let (count, stable) = (bytes.len() as u32, stable_how::UNSTABLE);
        let written = WRITE3args { file: file.clone(), offset: 0, count, stable, data };
        let written: WRITE3res = self.connection.call(NFS, 7, &written);
        assert!(matches!(written, Nfs3Result::Ok(_)), "not written");
        let committed = COMMIT3args { file: file.clone(), offset: 0, count: 0 };
        let committed: COMMIT3res = self.connection.call(NFS, 21, &committed);
        assert!(matches!(committed, Nfs3Result::Ok(_)), "not committed");
    }

    /// Lists a directory with handles and attributes; answers how many entries it has.
    pub(crate) fn list(&mut self, directory: &nfs_fh3) -> u64 {
        let (mut cookie, mut cookieverf, mut entries) = (0, cookieverf3::default(), 0);
        loop {
            let dir = directory.clone();
            let arguments = READDIRPLUS3args { dir, cookie, cookieverf, dircount: 256 << 10, maxcount: 1 << 20 };
            let Nfs3Result::Ok(page) = self.connection.call::<READDIRPLUS3res<'_>>(NFS, 17, &arguments) else {
                panic!("not listed")
            };
            entries += page.reply.entries.0.len() as u64;
            cookieverf = page.cookieverf;
            match page.reply.entries.0.last() {
                Some(last) if !page.reply.eof => cookie = last.cookie,
                _ => return entries,
            }
        }
    }
}
