//! A line to the database, on which each request takes a while.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// The line; it ends with the process.
pub(crate) struct Line {
    pub(crate) port: u16,
}

impl Line {
    /// One to a port, on which each request takes so long. Answers take no time: a client sees the sum only.
    pub(crate) fn to(port: u16, delay: Duration) -> Line {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let from = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || pass(client, server, delay));
                thread::spawn(move || pass(back.0, back.1, Duration::ZERO));
            }
        });
        Line { port: from }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if !delay.is_zero() {
            thread::sleep(delay);
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // Whichever side has ended already is none to tell.
    to.shutdown(Shutdown::Both).ok();
}
