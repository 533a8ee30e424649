//! The phases of the benchmark, each of which is measured.

use std::{net::SocketAddr, time::Duration};

use dittofs_tests::{
    fault_proxy::FaultProxy,
    report::Report,
    s3,
    server::{Home, Server},
};
use hyper::Method;

use crate::{Options, client::Client, limits::Limits, sampler::Sampler};

const MIB: u64 = 1 << 20;
const CACHE_MIB: u64 = 256;
const READAHEAD_MIB: u64 = 128;
const METADATA_MIB: u64 = 64;
const JOURNAL_MIB: u64 = 512;
/// Requests and replies of the connection, and replies that are kept.
const PROTOCOL_MIB: u64 = 32 + 24;
const SPARE_MIB: u64 = 64;
/// Objects of 64 MiB that the limits are measured with.
const OBJECTS: u64 = 8;
const FILE: &str = "large";

pub(crate) struct Rig<'a> {
    options: &'a Options,
    proxy: &'a FaultProxy,
    report: &'a mut Report,
    limits: Limits,
    home: Home,
}

fn rate(bytes_a_second: f64) -> String {
    format!("{:.0} MiB/s", bytes_a_second / MIB as f64)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn configuration(content: &str) -> String {
    format!(
        "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata, cache: {METADATA_MIB}MiB }} }} }} }}\n\
         content: {{ stores: {{ c: {content} }} }}\n\
         journal: {{ path: journal, size: {JOURNAL_MIB}MiB }}\n\
         cache: {{ memory: {CACHE_MIB}MiB, readahead: {READAHEAD_MIB}MiB }}\n\
         shares: [{{ name: /export, metadata_store: m, content_store: c, squash: none }}]\n"
    )
}

fn in_bucket(proxy: SocketAddr) -> String {
    let keys = format!("access_key_id: {}, secret_access_key: {}", s3::ACCESS_KEY, s3::SECRET_KEY);
    let credentials = format!("credentials: {{ from: keys, {keys} }}");
    configuration(&format!(
        "{{ type: s3, s3: {{ bucket: {}, endpoint: \"http://{proxy}\", prefix: share, {credentials} }} }}",
        s3::BUCKET
    ))
}

impl<'a> Rig<'a> {
    pub(crate) fn new(options: &'a Options, proxy: &'a FaultProxy, report: &'a mut Report) -> Rig<'a> {
        let limits = Limits::new(proxy.address(), OBJECTS);
        let home = Home::new(&options.program, Some(&in_bucket(proxy.address())));
        Rig { options, proxy, report, limits, home }
    }

    /// Runs a phase on a server that has nothing in memory.
    fn with_server<T>(&mut self, home: &Home, what: &str, phase: impl FnOnce(&Server) -> T) -> T {
        let server = home.start();
        let sampler = Sampler::start(server.process());
        let result = phase(&server);
        let stopped = server.stop();
        assert!(stopped.status.success(), "{stopped:?}: {}", home.log());
        let most = sampler.most();
        let bar = CACHE_MIB + READAHEAD_MIB + METADATA_MIB + PROTOCOL_MIB + SPARE_MIB;
        let (found, wanted) = (format!("{} MiB", most / MIB), format!("at most {bar} MiB"));
        self.report.judge(format!("anonymous memory: {what}"), found, wanted, most <= bar * MIB);
        result
    }

    fn requests(&self, method: &Method) -> usize {
        self.proxy.seen().iter().filter(|(seen, _)| seen.method == *method && seen.is_of_object()).count()
    }

    /// Until the journal is full it is as with a local folder, then as fast as the store takes it.
    pub(crate) fn sequential_write(&mut self) {
        let local = Home::new(&self.options.program, Some(&configuration("{ type: fs, fs: { path: content } }")));
        let (bytes, first) = (self.options.mib.max(2 * JOURNAL_MIB) * MIB, JOURNAL_MIB / 2 * MIB);
        let write = |server: &Server| {
            let mut client = Client::new(server.address());
            let file = client.create(FILE);
            let times = client.write(&file, bytes, MIB as usize, 8);
            client.commit(&file);
            times
        };
        let until = |times: &[Duration]| first as f64 / times[(first / MIB) as usize - 1].as_secs_f64();
        let folder = until(&self.with_server(&local, "sequential write to a folder", write));
        drop(local);
        let home = self.home.clone();
        let times = self.with_server(&home, "sequential write", write);
        let found = until(&times);
        self.report.judge(
            "sequential write until the journal is full",
            format!("{}, {:.2} of a folder's {}", rate(found), found / folder, rate(folder)),
            "0.9",
            found >= 0.9 * folder,
        );
        let (half, all) = (times.len() / 2, times.len());
        let later = ((all - half) as u64 * MIB) as f64 / (times[all - 1] - times[half - 1]).as_secs_f64();
        let mut limit = 0.0_f64;
        for (number, depth) in [2, 4].into_iter().enumerate() {
            limit = limit.max(self.limits.put(depth, number as u64 * OBJECTS));
        }
        let found = format!("{}, {:.2} of {}", rate(later), later / limit, rate(limit));
        self.report.judge(
            "sequential write once the journal is full; of parallel uploads",
            found,
            "0.8",
            later >= 0.8 * limit,
        );
    }

    pub(crate) fn cold_reads(&mut self) {
        const DEPTHS: [usize; 4] = [4, 8, 16, 32];
        let (mut found, mut by_depth) = (Vec::new(), [const { Vec::new() }; DEPTHS.len()]);
        let home = self.home.clone();
        let offsets: Vec<u64> = (0..self.options.mib.max(2 * JOURNAL_MIB)).map(|at| at * MIB).collect();
        let before = self.requests(&Method::GET);
        for _ in 0..self.options.rounds {
            by_depth.iter_mut().zip(DEPTHS).for_each(|(rates, depth)| rates.push(self.limits.get(depth)));
            found.push(self.with_server(&home, "cold sequential read", |server| {
                let mut client = Client::new(server.address());
                let file = client.look_up(FILE);
                let reads = client.read(&file, &offsets, MIB as usize, 8);
                (offsets.len() as u64 * MIB) as f64 / reads.elapsed.as_secs_f64()
            }));
        }
        let gets = (self.requests(&Method::GET) - before) / self.options.rounds - 4 * (OBJECTS * 64 / 4) as usize;
        let by_depth = by_depth.map(median);
        let (found, limit) = (median(found), by_depth.into_iter().fold(0.0, f64::max));
        let text = format!("{}, {:.2} of {}", rate(found), found / limit, rate(limit));
        self.report.judge("cold sequential read; of parallel GETs of 4 MiB", text, "0.8", found >= 0.8 * limit);
        self.report.note(format!("parallel GETs of 4 MiB, {DEPTHS:?} in flight"), by_depth.map(rate).join(", "));
        self.report.note("GETs of the sequential read", format!("{gets} for {} MiB", offsets.len()));
        self.random_reads(&home, offsets.len() as u64 * MIB);
    }

    fn random_reads(&mut self, home: &Home, size: u64) {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % (size / 4_096) * 4_096
        };
        let offsets: Vec<u64> = (0..self.options.reads).map(|_| random()).collect();
        let trip = self.limits.trip(32, 2_000).as_secs_f64() * 1e3;
        let before = self.requests(&Method::GET);
        let reads = self.with_server(home, "cold random reads", |server| {
            let mut client = Client::new(server.address());
            let file = client.look_up(FILE);
            client.read(&file, &offsets, 4_096, 32)
        });
        let gets = self.requests(&Method::GET) - before;
        let mut latencies = reads.latencies;
        latencies.sort_unstable();
        let at = |part: usize| latencies[(latencies.len() - 1) * part / 100].as_secs_f64() * 1e3;
        let delay = self.options.delay as f64;
        let mean = latencies.iter().sum::<Duration>().as_secs_f64() * 1e3 / latencies.len() as f64;
        let text = format!("{:.2} (median {:.1} ms, mean {mean:.1}, p99 {:.1})", at(50) / delay, at(50), at(99));
        self.report.judge(
            "cold random reads of 4 KiB, 32 in flight: round trips each",
            text,
            "at most 1.3",
            at(50) <= 1.3 * delay,
        );
        self.report.note("a GET of 32 KiB without the server, 32 in flight", format!("median {trip:.1} ms"));
        let each = gets as f64 / self.options.reads as f64;
        self.report.note("GETs of the random reads", format!("{each:.2} each"));
    }

    pub(crate) fn small_files(&mut self) {
        let home = self.home.clone();
        let before = self.proxy.uploads();
        let files = self.options.files;
        self.with_server(&home, "small files", |server| Client::new(server.address()).make_files(files, 4_096));
        let puts = self.proxy.uploads() - before;
        self.report.judge(format!("{files} files of 4 KiB: uploads"), puts.to_string(), "fewer than 50", puts < 50);
    }
}
