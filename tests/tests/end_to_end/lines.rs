//! A protocol that the program does not have by itself, beside NFS over the same share.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use dittofs_tests::server::{Home, ONE_SHARE};
use nfs3_client::nfs3_types::nfs3::*;

use crate::{
    persistence::root_of,
    portmapper::free_address,
    session::{home, with_mode},
    watching::{metrics, monitoring},
};

/// A server with lines on this address, monitoring, and content in a store that the program does not have either.
fn with_lines(address: SocketAddr, more: &str) -> Home {
    let adapters =
        format!("adapters: {{ line: {{ listen: \"{address}\" {more} }}, admin: {{ listen: \"127.0.0.1:0\" }} }}\n");
    let logged = "content:\n  stores:\n    scratch: { type: logged }";
    let shares = ONE_SHARE.replace("content:\n  stores:\n    scratch: { type: memory }", logged);
    assert!(shares.contains(logged));
    Home::new(Path::new(env!("CARGO_BIN_EXE_dittofs-extended")), Some(&format!("{shares}{adapters}")))
}

pub(crate) struct Lines(BufReader<TcpStream>);

impl Lines {
    pub(crate) fn open(address: SocketAddr) -> Lines {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Lines(BufReader::new(stream))
    }

    /// The first line of the reply.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        writeln!(self.0.get_mut(), "{line}").unwrap();
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Whether the server has closed the connection, without a word.
    fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_and_nfs_serve_the_same_share() {
    let address = free_address();
    let home = with_lines(address, "");
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    session.set(&root, with_mode(0o777), None).await.unwrap();
    let file = session.make_file(&root, b"of-nfs", 0o644).await;
    session.write_at(&file, 0, b"from NFS", stable_how::UNSTABLE).await.unwrap();

    let mut lines = Lines::open(address);
    assert_eq!(lines.ask("list /export"), "ok 1");
    assert_eq!(lines.line(), "of-nfs");
    assert_eq!(lines.ask("read /export/of-nfs"), "ok 8");
    assert_eq!(lines.line(), "from NFS");
    assert_eq!(lines.ask("write /export/of-lines from lines"), "ok 10");
    assert_eq!(lines.ask("write /export/of-nfs mine"), "error permission denied");
    assert_eq!(lines.ask("read /export/none"), "error no such file or directory");
    assert_eq!(lines.ask("read /elsewhere/none"), "error no such file or directory");
    assert!(lines.ask("make me a sandwich").starts_with("error write list PATH"));

    let found = session.find(&root, b"of-lines").await.unwrap();
    assert_eq!(session.read_at(&found, 0, 100).await.data.as_ref(), b"from lines");
    assert_eq!(session.attributes_of(&found).await.uid, 65_534, "whoever writes lines is anonymous");

    let exposed = metrics(monitoring(&home));
    let value = |name: &str, labels: &[(&str, &str)]| exposed.value(name, labels);
    let replies = |procedure, result| {
        value("dittofs_operations_total", &[("protocol", "line"), ("procedure", procedure), ("result", result)])
    };
    assert_eq!((replies("read", "ok"), replies("read", "error"), replies("write", "ok")), (1.0, 2.0, 1.0));
    assert_eq!(value("dittofs_connections", &[("adapter", "line")]), 1.0);
    assert_eq!(value("dittofs_unread_lines_total", &[("adapter", "line")]), 1.0);
    assert!(server.stop().status.success());
    assert!(lines.is_closed());
}

/// All connections count against the same bounds.
#[test]
fn the_idlest_connection_makes_room_whatever_its_protocol() {
    let address = free_address();
    let home = with_lines(address, "}, limits: { connections: 2, connections_per_address: 2, strangers: 4");
    let server = home.start();
    let mut all: Vec<Lines> = Vec::new();
    for _ in 0..2 {
        let mut lines = Lines::open(address);
        assert_eq!(lines.ask("list /export"), "ok 0");
        all.push(lines);
    }
    let mut nfs = TcpStream::connect(server.address()).unwrap();
    nfs.write_all(&[0x80, 0, 0, 40]).unwrap();
    assert!(all[0].is_closed());
    assert_eq!(all[1].ask("list /export"), "ok 0", "the other one was not as idle");
    drop(nfs);
    assert!(server.stop().status.success());
}

#[test]
fn an_address_that_is_taken_is_reported_before_anything_is_opened() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let home = with_lines(taken.local_addr().unwrap(), "");
    let refused = home.try_start(&[]).err().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.log.contains("adapters.line.listen"), "{}", refused.log);
}

#[test]
fn a_program_without_the_protocol_refuses_its_section() {
    let home = home(Some(&format!("{ONE_SHARE}adapters: {{ line: {{ listen: \"127.0.0.1:0\" }} }}\n")));
    let refused = home.try_start(&[]).err().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.log.contains("adapters.line: this key is not known; known here: admin"), "{}", refused.log);
}
