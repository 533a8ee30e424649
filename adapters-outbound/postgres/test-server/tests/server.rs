//! The server starts, ends, and comes back where it was.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use dittofs_postgres_test_server::PostgresServer;

/// Whether a PostgreSQL server answers: it says whether it speaks TLS.
fn answers(port: u16) -> bool {
    let request = [0, 0, 0, 8, 4, 210, 22, 47];
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut answer = [0];
    stream.write_all(&request).is_ok() && stream.read_exact(&mut answer).is_ok() && answer == *b"N"
}

#[test]
fn a_server_starts_stops_crashes_and_comes_back_on_its_port() {
    let mut server = PostgresServer::start();
    let port = server.port();
    assert!(answers(port), "{}", server.log());
    server.stop();
    assert!(!answers(port));
    server.start_again();
    assert!(answers(port));
    server.crash();
    assert!(!answers(port));
    server.start_again();
    assert!(answers(port) && server.log().contains("was not properly shut down"), "{}", server.log());
    server.pause();
    server.resume();
    assert!(answers(port));
    drop(server);
    assert!(!answers(port));
}
