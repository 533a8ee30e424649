//! The whole server: a share with its content in a folder, and one at the tier `remote`.

use std::{
    thread,
    time::{Duration, Instant},
};

use dittofs_postgres_test_server::{DATABASE, PASSWORD, USER};
use dittofs_tests::{
    fault_proxy::{Fate, FaultProxy},
    s3::{self, S3Server},
    server::{Home, Server},
};

use crate::{CLIENTS, Figures, Options, calls::Client, line::Line};

const S3_DELAY: Duration = Duration::from_millis(20);
const SMALL_FILE: usize = 4_096;

pub(crate) struct Rig {
    server: Server,
    calls: u64,
    entries: u64,
    listed: Option<nfs3_types::nfs3::nfs_fh3>,
    _bucket: (FaultProxy, S3Server),
}

impl Rig {
    pub(crate) fn new(options: &Options, line: &Line) -> Rig {
        let bucket = S3Server::start();
        let proxy = FaultProxy::start(bucket.address());
        proxy.rule(|_| Fate::Delay(S3_DELAY));
        let home = Home::new(&options.program, None);
        home.configure(&format!(
            "metadata: {{ stores: {{ m: {{ type: postgres, postgres: {{ host: 127.0.0.1, port: {}, user: {USER}, \
             database: {DATABASE}, password: \"{PASSWORD}\", outlives_machine: true }} }} }} }}\n\
             content: {{ stores: {{ f: {{ type: fs, fs: {{ path: content }} }}, b: {{ type: s3, s3: {} }} }} }}\n\
             shares:\n\
             - {{ name: /near, metadata_store: m, content_store: f, squash: none, id: 21 }}\n\
             - {{ name: /remote, metadata_store: m, content_store: b, squash: none, id: 22, durability: remote }}\n",
            line.port,
            s3::options(proxy.address(), "bench")
        ));
        let server = home.start();
        Rig { server, calls: options.calls, entries: options.entries, listed: None, _bucket: (proxy, bucket) }
    }

    pub(crate) fn round(&mut self, round: usize, figures: &mut Figures) {
        let mut client = Client::new(self.server.address(), "/near", 1);
        let directory = client.make_directory(&format!("d{round}"));
        self.time("CREATE", "CPU of CREATE", figures, |call| {
            client.create(&directory, &format!("f{call}"));
        });
        self.time("LOOKUP", "CPU of LOOKUP", figures, |_| client.look_up(&directory, "f7"));
        let together = self.together("/near", "CPU of CREATEs", figures, self.calls, |client, number, call| {
            client.create(&directory, &format!("c{number}-{call}"));
        });
        figures.add("CREATEs a second", together);
        let listed = self.listed(&mut client);
        let began = Instant::now();
        // And `.` and `..`.
        assert_eq!(client.list(&listed), self.entries + 2);
        figures.add("READDIRPLUS entries a second", self.entries as f64 / began.elapsed().as_secs_f64());
        self.small_files(round, figures);
    }

    /// The directory that is listed, which is made once.
    fn listed(&mut self, client: &mut Client) -> nfs3_types::nfs3::nfs_fh3 {
        if let Some(listed) = &self.listed {
            return listed.clone();
        }
        let listed = client.make_directory("listed");
        let (all, each) = (self.entries, self.entries / CLIENTS);
        thread::scope(|scope| {
            for number in 0..CLIENTS {
                let (listed, address) = (&listed, self.server.address());
                scope.spawn(move || {
                    let mut client = Client::new(address, "/near", 100 + number as u32);
                    let last = if number + 1 == CLIENTS { all - each * (CLIENTS - 1) } else { each };
                    (0..last).for_each(|entry| drop(client.create(listed, &format!("entry-{number}-{entry}"))));
                });
            }
        });
        self.listed = Some(listed.clone());
        listed
    }

    fn small_files(&self, round: usize, figures: &mut Figures) {
        let mut client = Client::new(self.server.address(), "/remote", 2);
        let directory = client.make_directory(&format!("d{round}"));
        let data = vec![0x5a; SMALL_FILE];
        let write = |client: &mut Client, name: String| {
            let file = client.create(&directory, &name);
            client.write_and_commit(&file, &data);
        };
        let (calls, began) = (self.calls / 4, Instant::now());
        (0..calls).for_each(|call| write(&mut client, format!("f{call}")));
        figures.add("small files of one", calls as f64 / began.elapsed().as_secs_f64());
        let together = self.together("/remote", "CPU of small files", figures, calls, |client, number, call| {
            write(client, format!("c{number}-{call}"));
        });
        figures.add("small files a second", together);
    }

    /// Notes the time of a call and the server's processor time for it, in microseconds.
    fn time(&self, name: &'static str, processor: &'static str, figures: &mut Figures, mut call: impl FnMut(u64)) {
        call(1 << 20);
        let (began, ticks) = (Instant::now(), self.server.processor_ticks());
        (0..self.calls).for_each(&mut call);
        figures.add(name, began.elapsed().as_secs_f64() * 1e6 / self.calls as f64);
        figures.add(processor, (self.server.processor_ticks() - ticks) as f64 * 1e4 / self.calls as f64);
    }

    /// Calls of many clients a second.
    fn together(
        &self,
        share: &str,
        processor: &'static str,
        figures: &mut Figures,
        calls: u64,
        call: impl Fn(&mut Client, u64, u64) + Sync,
    ) -> f64 {
        let clients: Vec<Client> =
            (0..CLIENTS).map(|number| Client::new(self.server.address(), share, 10 + number as u32)).collect();
        let (began, ticks, work) = (Instant::now(), self.server.processor_ticks(), &call);
        thread::scope(|scope| {
            for (number, mut client) in (0..).zip(clients) {
                scope.spawn(move || (0..calls).for_each(|one| work(&mut client, number, one)));
            }
        });
        let all = (CLIENTS * calls) as f64;
        figures.add(processor, (self.server.processor_ticks() - ticks) as f64 * 1e4 / all);
        all / began.elapsed().as_secs_f64()
    }
}
