//! Many files as clients see them: look-ups, listings, and what memory they take the server.

use std::{
    collections::HashMap,
    fs,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use dittofs_postgres_test_server::PostgresServer;
use dittofs_tests::{
    model::Random,
    report::Report,
    rpc::{Credential, NFS, RpcConnection},
    server::{Home, Server},
};
use nfs3_types::{
    nfs3::{
        LOOKUP3args, LOOKUP3res, NFS_PROGRAM, READDIRPLUS3args, READDIRPLUS3res, cookieverf3, diropargs3, filename3,
        nfs_fh3,
    },
    xdr_codec::Opaque,
};

use crate::{
    Options, SHARE, database_options,
    load::{Layout, directory_name, file_name},
};

/// Between two looks at the server's memory.
const SAMPLE: Duration = Duration::from_millis(10);
const CLIENTS: u64 = 16;
/// The most that the server's memory may grow. Caches of replies, connections and pages in flight are bounded; a
/// directory that were kept would take hundreds of MiB.
const GROWTH_MIB_MAX: u64 = 96;

/// The folder of the server.
pub(crate) fn home(options: &Options, database: &PostgresServer) -> Home {
    Home::new(
        &options.program,
        Some(&format!(
            "metadata: {{ stores: {{ m: {{ type: postgres, postgres: {} }} }} }}\n\
             content: {{ stores: {{ f: {{ type: fs, fs: {{ path: content }} }} }} }}\n\
             shares: [{{ name: /export, id: {SHARE}, metadata_store: m, content_store: f, squash: none }}]\n",
            database_options(database)
        )),
    )
}

struct Client {
    connection: RpcConnection,
    root: nfs_fh3,
    directories: HashMap<u64, nfs_fh3>,
}

impl Client {
    fn new(address: SocketAddr, number: u32) -> Client {
        let mut connection = RpcConnection::open(address, Credential::user(0, 0), 1 + (number << 22));
        let root = connection.mount("/export");
        Client { connection, root, directories: HashMap::new() }
    }

    fn look_up(&mut self, directory: &nfs_fh3, name: &str) -> nfs_fh3 {
        let what = diropargs3 { dir: directory.clone(), name: filename3(Opaque::borrowed(name.as_bytes())) };
        let procedure = NFS_PROGRAM::NFSPROC3_LOOKUP as u32;
        self.connection.call::<LOOKUP3res>(NFS, procedure, &LOOKUP3args { what }).unwrap().object
    }

    fn directory(&mut self, number: u64) -> nfs_fh3 {
        if let Some(known) = self.directories.get(&number) {
            return known.clone();
        }
        let root = self.root.clone();
        let found = self.look_up(&root, &directory_name(number));
        self.directories.insert(number, found.clone());
        found
    }

    /// How long the look-up of a file takes, once its directory is known.
    fn time(&mut self, layout: &Layout, file: u64) -> Duration {
        let directory = self.directory(layout.directory_of(file));
        let began = Instant::now();
        self.look_up(&directory, &file_name(file));
        began.elapsed()
    }

    /// Lists a directory; answers how many entries it has.
    fn list(&mut self, directory: &nfs_fh3, (dircount, maxcount): (u32, u32)) -> u64 {
        let (mut cookie, mut cookieverf, mut entries) = (0, cookieverf3::default(), 0);
        loop {
            let dir = directory.clone();
            let arguments = READDIRPLUS3args { dir, cookie, cookieverf, dircount, maxcount };
            let procedure = NFS_PROGRAM::NFSPROC3_READDIRPLUS as u32;
            let page = self.connection.call::<READDIRPLUS3res<'_>>(NFS, procedure, &arguments).unwrap();
            entries += page.reply.entries.0.len() as u64;
            cookieverf = page.cookieverf;
            match page.reply.entries.0.last() {
                Some(last) if !page.reply.eof => cookie = last.cookie,
                _ => return entries,
            }
        }
    }
}

/// Starts the database anew without any page of its files in the system's memory.
fn make_cold(database: &mut PostgresServer) {
    database.stop();
    evict(&database.data());
    database.start_again();
}

fn evict(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            evict(&entry.path());
            continue;
        }
        // With no byte to write it only takes the file's pages out of memory.
        let mut dd = Command::new("dd");
        dd.arg(format!("of={}", entry.path().display())).args(["oflag=nocache", "conv=notrunc,fdatasync", "count=0"]);
        assert!(dd.stdin(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    }
}

/// Measures all of it.
pub(crate) fn measure(
    options: &Options,
    database: &mut PostgresServer,
    home: &Home,
    layout: &Layout,
    report: &mut Report,
) {
    make_cold(database);
    let server = home.start();
    let before = server.anonymous_bytes();
    let (most, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                most.fetch_max(server.anonymous_bytes(), Ordering::Relaxed);
                thread::sleep(SAMPLE);
            }
        });
        look_ups(options, &server, layout, report);
        report.note(
            "most anonymous memory of the server with look-ups, MiB",
            (most.load(Ordering::Relaxed) >> 20).to_string(),
        );
        listings(database, &server, layout, report);
        is_over.store(true, Ordering::Relaxed);
    });
    let most = most.into_inner();
    report.note("anonymous memory of the server at its start, MiB", (before >> 20).to_string());
    report.note("the most, MiB", (most >> 20).to_string());
    report.note("after all of it, MiB", (server.anonymous_bytes() >> 20).to_string());
    let growth = most.saturating_sub(before) >> 20;
    report.judge(
        "growth of it, MiB",
        growth.to_string(),
        format!("at most {GROWTH_MIB_MAX}"),
        growth <= GROWTH_MIB_MAX,
    );
    assert!(server.stop().status.success(), "the server does not stop as it should");
}

fn look_ups(options: &Options, server: &Server, layout: &Layout, report: &mut Report) {
    let mut client = Client::new(server.address(), 1);
    let mut random = Random::new(7);
    let in_large: Vec<u64> = (0..options.look_ups).map(|_| random.below(layout.large)).collect();
    let anywhere: Vec<u64> = (0..options.look_ups).map(|_| random.below(layout.files)).collect();
    for (where_, files) in [("in the large directory", &in_large), ("anywhere", &anywhere)] {
        for state in ["cold", "warm"] {
            let mut times: Vec<Duration> = files.iter().map(|file| client.time(layout, *file)).collect();
            let all: Duration = times.iter().sum();
            times.sort_unstable();
            let ms = |part: f64| times[(part * (times.len() - 1) as f64) as usize].as_secs_f64() * 1e3;
            report.note(
                format!("LOOKUP {where_}, {state}, one client: a second; p50, p99, ms"),
                format!("{:.0}; {:.2}, {:.2}", times.len() as f64 / all.as_secs_f64(), ms(0.5), ms(0.99)),
            );
        }
    }
    let began = Instant::now();
    thread::scope(|scope| {
        for (number, part) in (0..).zip(anywhere.chunks(anywhere.len().div_ceil(CLIENTS as usize))) {
            scope.spawn(move || {
                let mut client = Client::new(server.address(), 10 + number);
                part.iter().for_each(|file| _ = client.time(layout, *file));
            });
        }
    });
    let each = began.elapsed().as_secs_f64() / anywhere.len() as f64;
    // Each client looks most directories up as well.
    report.note(
        format!("the same anywhere, warm, {CLIENTS} clients that look the directories up too: files a second"),
        format!("{:.0}", 1.0 / each),
    );
}

fn listings(database: &mut PostgresServer, server: &Server, layout: &Layout, report: &mut Report) {
    let mut client = Client::new(server.address(), 2);
    let mut list = |what: &str, client: &mut Client, counts| {
        let large = client.directory(0);
        let (began, ticks) = (Instant::now(), server.processor_ticks());
        // And `.` and `..`.
        assert_eq!(client.list(&large, counts), layout.large + 2);
        let took = began.elapsed().as_secs_f64();
        let each = (server.processor_ticks() - ticks) as f64 * 1e4 / layout.large as f64;
        report.note(
            format!("READDIRPLUS of {} entries, {what}: entries a second; server's µs an entry", layout.large),
            format!("{:.0}; {each:.1}", layout.large as f64 / took),
        );
    };
    const FULL: (u32, u32) = (256 << 10, 1 << 20);
    const KERNEL: (u32, u32) = (32 << 10, 32 << 10);
    make_cold(database);
    // Connections that the server had are gone.
    let root = client.root.clone();
    client.look_up(&root, &directory_name(0));
    list("cold, replies of 1 MiB", &mut client, FULL);
    list("warm, replies of 1 MiB", &mut client, FULL);
    list("warm, replies of 32 KiB", &mut client, KERNEL);
}
