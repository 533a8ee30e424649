//! Addresses and ports of this machine that no other process takes meanwhile: tests run side by side, and the system
//! gives any port between two uses of it to whoever asks.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
};

/// Below those that the system gives to connections by itself (32,768 to 60,999).
const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;

/// For clients of this process that come back from the same port: an address that is theirs alone, and port 0, for
/// which the system chooses one.
pub fn own_place() -> SocketAddr {
    let [.., high, middle, low] = std::process::id().to_be_bytes();
    SocketAddr::from(([127, high | 0x80, middle, low], 0))
}

/// A port of 127.0.0.1 for a server of this process that must be told one. It is not given again: its server may end and
/// come back.
pub fn own_port() -> u16 {
    static STEPS: AtomicU32 = AtomicU32::new(0);
    // Processes that run side by side have numbers side by side.
    let begin = std::process::id().wrapping_mul(4);
    let steps = std::iter::repeat_with(|| STEPS.fetch_add(1, Ordering::Relaxed)).take(COUNT as usize);
    let mut ports = steps.map(|step| (FIRST + begin.wrapping_add(step) % COUNT) as u16);
    ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).expect("a port is free")
}
