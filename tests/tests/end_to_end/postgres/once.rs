//! A call takes effect once, whatever happens to the database or to the server at each point of its way; and it is
//! answered as if nothing had happened, also when it is sent once more afterwards.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use dittofs_postgres_test_server::{Plain, PostgresServer, Proxy, Stop};
use dittofs_tests::{
    ports::own_place,
    rpc::{Credential, NFS, RpcConnection, RpcReply, record},
    server::{Home, Server},
};
use nfs3_client::nfs3_types::nfs3::*;
use rstest::rstest;
use tokio::runtime::Runtime;

use crate::{
    postgres::{home_by, text},
    session::{place, status},
};

/// Where a call is when something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// Its plan has not reached the database.
    BeforeSending,
    /// Its plan waits for a row.
    BeforeCommit,
    /// The server has not got the database's answer.
    AfterCommit,
    /// The client has its reply, and loses it.
    AfterAnswer,
}

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    DatabaseKilled,
    DatabasePaused,
    DatabaseCutOff,
    ServerKilled,
    ServerPaused,
    ServerCutOff,
}

const EVENTS: [Event; 6] = [
    Event::DatabaseKilled,
    Event::DatabasePaused,
    Event::DatabaseCutOff,
    Event::ServerKilled,
    Event::ServerPaused,
    Event::ServerCutOff,
];

/// Longer than an answer of the database may take.
const PAUSE: Duration = Duration::from_millis(1_400);
const TIMES: &str = "connect_timeout_seconds: 20, timeout_seconds: 1";
const PATIENCE: Duration = Duration::from_secs(60);

/// The kinds of calls, each of which has a directory of its own, so that no plan waits for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Create,
    Rename,
    Remove,
}

const KINDS: [Kind; 3] = [Kind::Create, Kind::Rename, Kind::Remove];

impl Kind {
    fn procedure(self) -> u32 {
        let procedure = match self {
            Kind::Create => NFS_PROGRAM::NFSPROC3_CREATE,
            Kind::Rename => NFS_PROGRAM::NFSPROC3_RENAME,
            Kind::Remove => NFS_PROGRAM::NFSPROC3_REMOVE,
        };
        procedure as u32
    }

    fn status(self, reply: &RpcReply) -> nfsstat3 {
        match self {
            Kind::Create => status(&reply.results::<CREATE3res>()),
            Kind::Rename => status(&reply.results::<RENAME3res>()),
            Kind::Remove => status(&reply.results::<REMOVE3res>()),
        }
    }

    fn record(self, xid: u32, directory: &nfs_fh3, name: &str) -> Vec<u8> {
        let (user, renamed) = (Credential::user(0, 0), format!("{name}-renamed"));
        let object = place(directory, name.as_bytes());
        match self {
            Kind::Create => {
                let call = CREATE3args { where_: object, how: createhow3::GUARDED(sattr3::default()) };
                record(xid, NFS, self.procedure(), &user, &call)
            }
            Kind::Rename => {
                let call = RENAME3args { from: object, to: place(directory, renamed.as_bytes()) };
                record(xid, NFS, self.procedure(), &user, &call)
            }
            Kind::Remove => record(xid, NFS, self.procedure(), &user, &REMOVE3args { object }),
        }
    }
}

/// A client with one call, which comes back from the same port when its connection ends.
struct Client {
    kind: Kind,
    directory: nfs_fh3,
    /// The directory's number.
    node: u64,
    local: SocketAddr,
    connection: Option<RpcConnection>,
    xid: u32,
    name: String,
}

impl Client {
    fn new(server: &Server, root: &nfs_fh3, kind: Kind) -> Client {
        let mut connection = RpcConnection::open_from(own_place(), server.address(), Credential::user(0, 0), 1);
        let name = format!("{kind:?}");
        let how = MKDIR3args { where_: place(root, name.as_bytes()), attributes: sattr3::default() };
        let made: MKDIR3res = connection.call(NFS, NFS_PROGRAM::NFSPROC3_MKDIR as u32, &how);
        let made = made.unwrap();
        let Nfs3Option::Some(attributes) = made.obj_attributes else { panic!("a directory without attributes") };
        let local = connection.local();
        let (directory, node) = (made.obj.unwrap(), attributes.fileid);
        // Far from those of the calls before it.
        let xid = 1_000_000 * (1 + kind as u32);
        Client { kind, directory, node, local, connection: Some(connection), xid, name }
    }

    /// Chooses the next call; the file that it is about is made, if it must be there.
    fn prepare(&mut self, name: String) {
        let connection = self.connection.as_mut().unwrap();
        if self.kind != Kind::Create {
            let object = place(&self.directory, name.as_bytes());
            let how = CREATE3args { where_: object, how: createhow3::GUARDED(sattr3::default()) };
            let made: CREATE3res = connection.call(NFS, NFS_PROGRAM::NFSPROC3_CREATE as u32, &how);
            made.unwrap();
        }
        (self.name, self.xid) = (name, self.xid + 1);
    }

    fn connect(&mut self, server: &Server) {
        if let Some(connection) = self.connection.take() {
            connection.reset();
        }
        let until = Instant::now() + PATIENCE;
        while self.connection.is_none() {
            assert!(Instant::now() < until, "the server does not serve");
            let user = Credential::user(0, 0);
            self.connection = RpcConnection::try_open_from(self.local, server.address(), user, 1).ok();
        }
    }

    /// Whether it could be sent.
    fn send(&mut self) -> bool {
        let record = self.kind.record(self.xid, &self.directory, &self.name);
        let connection = self.connection.as_mut().unwrap();
        connection.queue_bytes(&record);
        connection.send().is_ok()
    }

    /// Waits for the reply to the call that was sent. If the connection ends, or the server says that nothing was done,
    /// it goes on as a client does.
    fn finish(&mut self, server: &Server) {
        let until = Instant::now() + PATIENCE;
        let mut is_sent = true;
        loop {
            assert!(Instant::now() < until, "{:?} is not answered", self.kind);
            let reply = is_sent.then(|| self.connection.as_mut().unwrap().receive()).flatten();
            match reply.map(|reply| self.kind.status(&reply)) {
                Some(nfsstat3::NFS3_OK) => return,
                Some(nfsstat3::NFS3ERR_JUKEBOX) => self.xid += 1,
                Some(other) => panic!("{:?} of {}: {other:?}", self.kind, self.name),
                None => self.connect(server),
            }
            is_sent = self.send();
        }
    }
}

/// All that takes part.
struct Rig {
    runtime: Runtime,
    database: PostgresServer,
    proxy: Proxy,
    home: Home,
    server: Option<Server>,
}

impl Rig {
    fn new() -> Rig {
        let runtime = Runtime::new().unwrap();
        let database = PostgresServer::start();
        let proxy = runtime.block_on(Proxy::start(database.port()));
        let home = home_by(proxy.port(), TIMES);
        let server = Some(home.start());
        Rig { runtime, database, proxy, home, server }
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    fn person(&self) -> Plain {
        self.runtime.block_on(Plain::connect(&self.database))
    }

    /// How often each directory has changed.
    fn changes(&self, clients: &[Client]) -> Vec<u64> {
        let mut person = self.person();
        let one = |client: &Client| {
            let change = format!("SELECT change::text FROM dittofs.node WHERE id = {}", client.node);
            self.runtime.block_on(person.texts(&change))[0].parse().unwrap()
        };
        clients.iter().map(one).collect()
    }

    /// Somebody who holds the rows of the directories.
    fn holder(&self, clients: &[Client]) -> Plain {
        let nodes: Vec<String> = clients.iter().map(|client| client.node.to_string()).collect();
        let mut holder = self.person();
        let lock = format!("BEGIN; SELECT 1 FROM dittofs.node WHERE id IN ({}) FOR UPDATE", nodes.join(", "));
        self.runtime.block_on(holder.carry_out(&lock));
        holder
    }

    /// Sends all calls, and returns when each is at the point.
    fn bring_to(&self, point: Point, clients: &mut [Client]) {
        match point {
            Point::BeforeSending => self.proxy.stop_plans(Stop::Request, clients.len()),
            Point::AfterCommit => self.proxy.stop_plans(Stop::Answer, clients.len()),
            Point::BeforeCommit | Point::AfterAnswer => {}
        }
        for client in &mut *clients {
            assert!(client.send());
        }
        let until = Instant::now() + PATIENCE;
        let mut person = self.person();
        let waiting = "SELECT pid::text FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%apply_%'";
        let mut are_there = || match point {
            Point::BeforeSending | Point::AfterCommit => self.proxy.stopped() >= clients.len(),
            Point::BeforeCommit => self.runtime.block_on(person.texts(waiting)).len() >= clients.len(),
            Point::AfterAnswer => true,
        };
        while !are_there() {
            assert!(Instant::now() < until, "the calls do not come so far");
            thread::sleep(Duration::from_millis(5));
        }
        if point == Point::AfterAnswer {
            for client in clients {
                let reply = client.connection.as_mut().unwrap().receive().expect("all is well");
                assert_eq!(client.kind.status(&reply), nfsstat3::NFS3_OK);
            }
        }
    }

    /// Lets something happen. In the midst of it the rows are let go; a database that is killed lets them go itself, and
    /// one that is paused can't be told.
    fn let_happen(&mut self, event: Event, clients: &mut [Client], holder: Option<Plain>) {
        let runtime = self.runtime.handle().clone();
        let let_go = |holder: Option<Plain>| {
            if let Some(mut holder) = holder {
                runtime.block_on(holder.carry_out("ROLLBACK"));
            }
        };
        match event {
            Event::DatabaseKilled => {
                self.database.crash();
                self.database.start_again();
            }
            Event::DatabasePaused => {
                self.database.pause();
                thread::sleep(PAUSE);
                self.database.resume();
                let_go(holder);
            }
            Event::DatabaseCutOff => {
                self.proxy.begin_black_hole();
                let_go(holder);
                thread::sleep(PAUSE);
                self.proxy.end_black_hole();
            }
            Event::ServerKilled => {
                self.server.take().unwrap().kill();
                let_go(holder);
                self.server = Some(self.home.start());
            }
            Event::ServerPaused => {
                self.server().signal("STOP");
                let_go(holder);
                thread::sleep(PAUSE);
                self.server().signal("CONT");
            }
            Event::ServerCutOff => {
                for client in clients {
                    client.connect(self.server());
                    assert!(client.send());
                }
                let_go(holder);
            }
        }
    }
}

#[rstest]
#[case::before_sending(Point::BeforeSending)]
#[case::before_the_commit(Point::BeforeCommit)]
#[case::after_the_commit(Point::AfterCommit)]
#[case::after_the_answer(Point::AfterAnswer)]
fn a_call_takes_effect_once_whatever_happens(#[case] point: Point) {
    let mut rig = Rig::new();
    let root = RpcConnection::open(rig.server().address(), Credential::user(0, 0), 1).mount("/export");
    let mut clients = KINDS.map(|kind| Client::new(rig.server(), &root, kind));
    for event in EVENTS {
        for client in &mut clients {
            client.connect(rig.server());
            client.prepare(format!("{event:?}"));
        }
        let before = rig.changes(&clients);
        let holder = (point == Point::BeforeCommit).then(|| rig.holder(&clients));
        rig.bring_to(point, &mut clients);
        rig.let_happen(event, &mut clients, holder);
        if point == Point::AfterAnswer && event != Event::ServerCutOff {
            // The reply was lost, so the call is sent again.
            clients.iter_mut().for_each(|client| _ = client.send());
        }
        clients.iter_mut().for_each(|client| client.finish(rig.server()));
        // Plans that were stopped on their way come late.
        rig.proxy.release_plans();
        thread::sleep(Duration::from_millis(200));
        for client in &mut clients {
            client.connect(rig.server());
            assert!(client.send());
            client.finish(rig.server());
        }
        let effects: Vec<u64> =
            rig.changes(&clients).iter().zip(&before).map(|(after, before)| after - before).collect();
        assert_eq!(effects, [1, 1, 1], "{event:?}: effects of one call each: {KINDS:?}");
    }
    let server = rig.server.take().unwrap();
    assert!(server.stop().status.success());
    let checked = rig.home.run(&["check"]);
    assert!(checked.status.success() && text(&checked).contains("clean"), "{}", text(&checked));
}
