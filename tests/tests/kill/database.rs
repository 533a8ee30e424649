//! A PostgreSQL server behind a way that is cut off, and that is killed and paused itself.

use std::{
    io,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use dittofs_postgres_test_server::{DATABASE, PASSWORD, PostgresServer, USER};
use dittofs_tests::model::Random;

/// The database, and the way to it.
pub(crate) struct Database {
    server: PostgresServer,
    way: Way,
}

/// Goes on until it is ended.
pub(crate) struct Trouble {
    is_over: Arc<AtomicBool>,
    maker: JoinHandle<(Database, u64)>,
}

impl Database {
    pub(crate) fn start() -> Database {
        let server = PostgresServer::start();
        Database { way: Way::to(server.port()), server }
    }

    fn port(&self) -> u16 {
        self.way.port
    }

    /// From now on something happens to it again and again.
    pub(crate) fn in_trouble(self, mut random: Random) -> Trouble {
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let maker = thread::spawn(move || {
            let (mut database, mut times) = (self, 0);
            while !until.load(Ordering::Acquire) {
                thread::sleep(Duration::from_millis(100 + random.below(1_200)));
                database.suffer(&mut random);
                times += 1;
            }
            (database, times)
        });
        Trouble { is_over, maker }
    }

    fn suffer(&mut self, random: &mut Random) {
        let millis = |random: &mut Random| thread::sleep(Duration::from_millis(random.below(300)));
        match random.below(6) {
            0 => {
                self.server.crash();
                millis(random);
                self.server.start_again();
            }
            1 => {
                self.server.pause();
                millis(random);
                self.server.resume();
            }
            // What comes next is not passed on, in one direction; then the connections end.
            2 | 3 => self.way.cut(true, Duration::from_millis(random.below(60))),
            _ => self.way.cut(false, Duration::from_millis(random.below(60))),
        }
    }
}

impl Trouble {
    /// Returns the database, which is well from now on.
    pub(crate) fn end(self) -> Database {
        self.is_over.store(true, Ordering::Release);
        let (database, times) = self.maker.join().unwrap();
        println!("the database was in trouble {times} times, {} connections to it were cut off", database.way.cuts());
        assert!(times > 0);
        database
    }
}

/// Passes connections on to a port.
struct Way {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Both ends of each connection.
    open: Mutex<Vec<(TcpStream, TcpStream)>>,
    /// What clients send is dropped; or what the server answers.
    drops: [AtomicBool; 2],
    cuts: AtomicU64,
}

impl Way {
    fn to(port: u16) -> Way {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (from, shared) = (listener.local_addr().unwrap().port(), Arc::new(Shared::default()));
        let passing = Arc::clone(&shared);
        // Ends with the process.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let (Ok(clients), Ok(servers)) = (client.try_clone(), server.try_clone()) else { continue };
                passing.open.lock().unwrap().push((clients, servers));
                for (direction, (from, to)) in
                    [(client.try_clone(), server.try_clone()), (server.try_clone(), client.try_clone())]
                        .into_iter()
                        .enumerate()
                {
                    let (Ok(from), Ok(to), shared) = (from, to, Arc::clone(&passing)) else { continue };
                    thread::spawn(move || pass(from, to, &shared.drops[direction]));
                }
            }
        });
        Way { port: from, shared }
    }

    /// Drops what is sent or what is answered for a while, and then ends all connections.
    fn cut(&self, requests: bool, after: Duration) {
        let drops = &self.shared.drops[usize::from(!requests)];
        drops.store(true, Ordering::Release);
        thread::sleep(after);
        for (client, server) in self.shared.open.lock().unwrap().drain(..) {
            // One that has ended already is none to end.
            client.shutdown(Shutdown::Both).ok();
            server.shutdown(Shutdown::Both).ok();
            self.shared.cuts.fetch_add(1, Ordering::Relaxed);
        }
        drops.store(false, Ordering::Release);
    }

    fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::Relaxed)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, drops: &AtomicBool) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match io::Read::read(&mut from, &mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(_) if drops.load(Ordering::Acquire) => {}
            Ok(length) if io::Write::write_all(&mut to, &buffer[..length]).is_ok() => {}
            Ok(_) => break,
        }
    }
    to.shutdown(Shutdown::Both).ok();
}

/// Metadata in the database, and this content.
pub(crate) fn over_database(database: &Database, content: &str, durability: &str) -> String {
    let port = database.port();
    format!(
        "metadata: {{ stores: {{ persistent: {{ type: postgres, postgres: {{ host: 127.0.0.1, port: {port}, user: {USER}, \
         database: {DATABASE}, password: \"{PASSWORD}\", outlives_machine: true, connect_timeout_seconds: 20, \
         timeout_seconds: 2 }} }} }} }}\n\
         content: {{ stores: {{ content: {content} }} }}\n\
         journal: {{ size: 32MiB }}\n\
         cache: {{ memory: 4MiB }}\n\
         shares: [ {{ name: /export, metadata_store: persistent, content_store: content, squash: none, \
         durability: {durability} }} ]\n"
    )
}
