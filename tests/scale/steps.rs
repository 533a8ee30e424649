//! The steps, each over one connection with many calls in flight.

use dittofs_tests::{
    rpc::{NFS, RpcConnection, RpcReply},
    server::Server,
};
use nfs3_types::{nfs3::*, xdr_codec::Pack};

use crate::tenths::Tenths;

/// Calls in flight.
const WINDOW: usize = 64;
/// Of a listing: what a Linux client asks for.
const LISTING_BYTES: u32 = 64 << 10;
/// Entries that a step lists at least.
const LISTED_MIN: usize = 100_000;

/// The client, and which steps were too slow.
pub(crate) struct Steps<'s> {
    server: &'s Server,
    connection: RpcConnection,
    root: nfs_fh3,
    slow: Vec<String>,
}

/// The directories of the chains, by level; the first level is the top that all chains begin in.
pub(crate) struct Deep {
    levels: Vec<Vec<nfs_fh3>>,
}

impl<'s> Steps<'s> {
    pub(crate) fn new(server: &'s Server, connection: RpcConnection, root: nfs_fh3) -> Steps<'s> {
        Steps { server, connection, root, slow: Vec::new() }
    }

    /// The steps that were slower at the end.
    pub(crate) fn slow(&self) -> &[String] {
        &self.slow
    }

    pub(crate) fn make_files(&mut self, count: usize) -> nfs_fh3 {
        let directory = self.make_directory(b"files");
        self.fill("create files", &directory, count);
        directory
    }

    /// After their removal.
    pub(crate) fn make_files_again(&mut self, directory: &nfs_fh3, count: usize) {
        self.fill("create files again", directory, count);
    }

    fn fill(&mut self, step: &str, directory: &nfs_fh3, count: usize) {
        let arguments = |number: usize| CREATE3args {
            where_: place(directory, number),
            how: createhow3::GUARDED(sattr3::default()),
        };
        let mut tenths = Tenths::begin(self.server, count);
        self.run(NFS_PROGRAM::NFSPROC3_CREATE, count, arguments, &mut tenths, |_, reply| {
            reply.results::<CREATE3res>().unwrap();
        });
        self.judge(step, &tenths);
    }

    pub(crate) fn make_wide(&mut self, count: usize) -> nfs_fh3 {
        let directory = self.make_directory(b"wide");
        let arguments = |number: usize| MKDIR3args { where_: place(&directory, number), attributes: sattr3::default() };
        let mut tenths = Tenths::begin(self.server, count);
        self.run(NFS_PROGRAM::NFSPROC3_MKDIR, count, arguments, &mut tenths, |_, reply| {
            reply.results::<MKDIR3res>().unwrap();
        });
        self.judge("mkdir wide", &tenths);
        directory
    }

    /// The chains grow together, level by level, so that the tenths of the run are tenths of the depth.
    pub(crate) fn make_deep(&mut self, chains: usize, depth: usize) -> Deep {
        let top = self.make_directory(b"deep");
        let mut levels = vec![vec![top; chains]];
        let mut tenths = Tenths::begin(self.server, chains * depth);
        for level in 0..depth {
            let parents = &levels[level];
            let mut made = vec![nfs_fh3::default(); chains];
            let arguments =
                |number: usize| MKDIR3args { where_: place(&parents[number], number), attributes: sattr3::default() };
            self.run(NFS_PROGRAM::NFSPROC3_MKDIR, chains, arguments, &mut tenths, |number, reply| {
                made[number] = reply.results::<MKDIR3res>().unwrap().obj.unwrap();
            });
            levels.push(made);
        }
        self.judge("mkdir deep", &tenths);
        Deep { levels }
    }

    /// A small directory is listed several times, so that there is something to measure.
    pub(crate) fn list_flat(&mut self, step: &str, directory: &nfs_fh3, count: usize) {
        let mut tenths = Tenths::begin(self.server, count + 2);
        for _ in 0..(LISTED_MIN / (count + 2)).max(1) {
            let listed = self.list(directory, &mut tenths);
            assert_eq!(listed, count + 2, "entries listed, `.` and `..` included");
        }
        self.judge(step, &tenths);
    }

    fn list(&mut self, directory: &nfs_fh3, tenths: &mut Tenths<'_>) -> usize {
        let (mut cookie, mut cookieverf, mut listed) = (0, cookieverf3::default(), 0);
        loop {
            let arguments = READDIRPLUS3args {
                dir: directory.clone(),
                cookie,
                cookieverf,
                dircount: LISTING_BYTES,
                maxcount: LISTING_BYTES,
            };
            let page: READDIRPLUS3res<'_> =
                self.connection.call(NFS, NFS_PROGRAM::NFSPROC3_READDIRPLUS as u32, &arguments);
            let page = page.unwrap();
            let entries = &page.reply.entries.0;
            listed += entries.len();
            tenths.done(entries.len());
            if page.reply.eof {
                return listed;
            }
            cookie = entries.last().unwrap().cookie;
            cookieverf = page.cookieverf;
        }
    }

    pub(crate) fn list_deep(&mut self, deep: &Deep) {
        let directories: Vec<&nfs_fh3> = deep.levels[1..].iter().flatten().collect();
        let arguments = |number: usize| READDIRPLUS3args {
            dir: directories[number].clone(),
            cookie: 0,
            cookieverf: cookieverf3::default(),
            dircount: LISTING_BYTES,
            maxcount: LISTING_BYTES,
        };
        let mut tenths = Tenths::begin(self.server, directories.len());
        self.run(NFS_PROGRAM::NFSPROC3_READDIRPLUS, directories.len(), arguments, &mut tenths, |_, reply| {
            assert!(reply.results::<READDIRPLUS3res<'_>>().unwrap().reply.eof);
        });
        self.judge("list deep", &tenths);
    }

    pub(crate) fn remove_files(&mut self, directory: &nfs_fh3, count: usize) {
        let mut tenths = Tenths::begin(self.server, count);
        let arguments = |number: usize| REMOVE3args { object: place(directory, number) };
        self.run(NFS_PROGRAM::NFSPROC3_REMOVE, count, arguments, &mut tenths, |_, reply| {
            reply.results::<REMOVE3res>().unwrap();
        });
        self.judge("remove files", &tenths);
    }

    pub(crate) fn remove_wide(&mut self, directory: &nfs_fh3, count: usize) {
        let mut tenths = Tenths::begin(self.server, count);
        let arguments = |number: usize| RMDIR3args { object: place(directory, number) };
        self.run(NFS_PROGRAM::NFSPROC3_RMDIR, count, arguments, &mut tenths, |_, reply| {
            reply.results::<RMDIR3res>().unwrap();
        });
        self.judge("rmdir wide", &tenths);
    }

    /// From the deepest level up.
    pub(crate) fn remove_deep(&mut self, deep: Deep) {
        let mut parents = deep.levels;
        parents.pop();
        let mut tenths = Tenths::begin(self.server, parents.iter().map(Vec::len).sum());
        for parents in parents.iter().rev() {
            let arguments = |number: usize| RMDIR3args { object: place(&parents[number], number) };
            self.run(NFS_PROGRAM::NFSPROC3_RMDIR, parents.len(), arguments, &mut tenths, |_, reply| {
                reply.results::<RMDIR3res>().unwrap();
            });
        }
        self.judge("rmdir deep", &tenths);
    }

    /// Calls `procedure` so many times, and hands each reply to `check` with the number of its call.
    fn run<A: Pack>(
        &mut self,
        procedure: NFS_PROGRAM,
        count: usize,
        arguments: impl Fn(usize) -> A,
        tenths: &mut Tenths<'_>,
        mut check: impl FnMut(usize, &RpcReply),
    ) {
        let (mut sent, mut answered, mut first) = (0, 0, None);
        while answered < count {
            let more = (answered + WINDOW).min(count);
            for number in sent..more {
                let xid = self.connection.queue(NFS, procedure as u32, &arguments(number));
                first.get_or_insert(xid);
            }
            sent = more;
            self.connection.send().unwrap();
            // Half of the window is left in flight, so that the server is never idle.
            let batch = (WINDOW / 2).min(sent - answered);
            for _ in 0..batch {
                let reply = self.connection.receive().expect("the server closed the connection");
                let number = reply.xid.wrapping_sub(first.unwrap());
                check(number as usize, &reply);
            }
            answered += batch;
            tenths.done(batch);
        }
    }

    fn make_directory(&mut self, name: &'static [u8]) -> nfs_fh3 {
        let where_ = diropargs3 { dir: self.root.clone(), name: name.into() };
        let arguments = MKDIR3args { where_, attributes: sattr3::default() };
        let made: MKDIR3res = self.connection.call(NFS, NFS_PROGRAM::NFSPROC3_MKDIR as u32, &arguments);
        made.unwrap().obj.unwrap()
    }

    fn judge(&mut self, step: &str, tenths: &Tenths<'_>) {
        if !tenths.print(step) {
            self.slow.push(step.to_owned());
        }
    }
}

fn place(directory: &nfs_fh3, number: usize) -> diropargs3<'static> {
    diropargs3 { dir: directory.clone(), name: format!("entry-{number:07}").into_bytes().into() }
}
