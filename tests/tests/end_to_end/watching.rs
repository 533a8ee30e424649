//! Monitoring over HTTP: whether the server lives and is ready.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use dittofs_tests::{
    exposition::Exposition,
    server::{Home, Server},
};

/// The default share, with monitoring.
pub(crate) const WATCHED: &str = "adapters: { admin: { listen: 127.0.0.1:0 } }\n";

const PATIENCE: Duration = Duration::from_secs(20);

/// Where the newest server of a home can be monitored.
pub(crate) fn monitoring(home: &Home) -> SocketAddr {
    eventually("the server does not say where it can be monitored", || {
        let log = home.log();
        let (_, rest) = log.split_once("monitoring: http://")?;
        rest.split_once("/metrics")?.0.parse().ok()
    })
}

fn eventually<T>(otherwise: &str, mut wanted: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = wanted() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{otherwise}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The status and body of a page.
fn page(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The metrics as of now.
pub(crate) fn metrics(address: SocketAddr) -> Exposition {
    let (status, text) = page(address, "/metrics");
    assert_eq!(status, 200, "{text}");
    Exposition::parse(&text)
}

/// A server with a content store that is held up by files in `gate`.
fn gated(gate: &Path) -> Home {
    let configuration = format!(
        "{WATCHED}metadata: {{ stores: {{ m: {{ type: memory }} }} }}\n\
         content: {{ stores: {{ c: {{ type: gated, gated: {{ gate: {} }} }} }} }}\n\
         shares: [{{ name: /export, metadata_store: m, content_store: c, squash: none }}]\n",
        gate.display()
    );
    Home::new(Path::new(env!("CARGO_BIN_EXE_dittofs-gated")), Some(&configuration))
}

#[test]
fn a_server_lives_from_its_start_and_is_ready_when_its_shares_are_open() {
    let gate = tempfile::tempdir().unwrap();
    fs::write(gate.path().join("closed"), "").unwrap();
    let home = gated(gate.path());
    let starting = thread::spawn({
        let home = home.clone();
        move || home.start()
    });
    let address = monitoring(&home);
    assert_eq!(page(address, "/healthz"), (200, "ok\n".to_owned()));
    let (status, said) = page(address, "/readyz");
    assert_eq!((status, said.as_str()), (503, "/export: is being opened and recovered\n"));
    assert_eq!(metrics(address).value("dittofs_share_ready", &[("share", "/export")]), 0.0);
    fs::remove_file(gate.path().join("closed")).unwrap();
    let server = starting.join().unwrap();
    assert_eq!(page(address, "/readyz"), (200, "ok\n".to_owned()));
    assert_eq!(metrics(address).value("dittofs_share_ready", &[("share", "/export")]), 1.0);
    assert!(server.stop().status.success());
}

#[test]
fn a_share_whose_store_does_not_answer_is_not_ready_and_comes_back_by_itself() {
    let gate = tempfile::tempdir().unwrap();
    let home = gated(gate.path());
    let _server: Server = home.start();
    let address = monitoring(&home);
    assert_eq!(page(address, "/readyz").0, 200);
    for (file, why) in [("failing", "the gate is failing"), ("silent", "no answer within 2 s")] {
        let file = gate.path().join(file);
        fs::write(&file, "").unwrap();
        let said = eventually("the share is ready", || {
            let (status, said) = page(address, "/readyz");
            (status == 503).then_some(said)
        });
        assert!(said.starts_with("/export: content store: ") && said.contains(why), "{said}");
        assert_eq!(page(address, "/healthz").0, 200, "the server itself lives");
        fs::remove_file(&file).unwrap();
        eventually("the share is not ready", || (page(address, "/readyz").0 == 200).then_some(()));
    }
}

#[test]
fn nothing_listens_for_monitoring_unless_it_is_asked_for() {
    let home = crate::session::home(None);
    let _server = home.start();
    assert!(!home.log().contains("monitoring"), "{}", home.log());
}
