//! The worst clients, in small: a neighbour goes on, and memory is bounded. `tests/worst/run.sh` has them in full.
//!
//! Machines that run tests are busy, so the times here are generous; what a front may do without a pause is counted in
//! tests of the transport and of listings.

use std::time::{Duration, Instant};

use dittofs_tests::{
    server::{ONE_SHARE, Server},
    worst::{self, Latencies},
};
use nfs3_client::nfs3_types::nfs3::*;

use crate::session::{root_session, serve};

const LISTINGS: Duration = Duration::from_secs(3);

fn assert_goes_on(what: &str, latencies: &Latencies) {
    let p99 = latencies.quantile(0.99);
    assert!(latencies.calls() >= 20 && p99 < Duration::from_secs(1), "{what}: {} calls, {p99:?}", latencies.calls());
}

fn frugal() -> Server {
    serve(&format!("{ONE_SHARE}\nadapters: {{ limits: {{ memory: 24MiB }} }}\n"))
}

#[tokio::test]
async fn dircount_bounds_a_listing_to_what_it_asks_for() {
    let (server, mut session) = root_session().await;
    worst::fill(&mut worst::connect(server.address()), &session.root.clone(), 50);
    let (mut cookie, mut listed) = (0, 0);
    loop {
        let (dir, cookieverf) = (session.root.clone(), cookieverf3::default());
        let arguments = READDIRPLUS3args { dir, cookie, cookieverf, dircount: 0, maxcount: 1 << 20 };
        let page = session.readdirplus(&arguments).await.unwrap().unwrap();
        assert!(page.reply.entries.0.len() <= 1, "dircount 0 is one entry at a time");
        listed += page.reply.entries.0.len();
        match page.reply.entries.0.last() {
            Some(entry) if !page.reply.eof => cookie = entry.cookie,
            _ => break,
        }
    }
    assert_eq!(listed, 52, "with both dots");
}

#[test]
fn listings_of_many_clients_leave_a_neighbour_its_turn() {
    let server = serve(ONE_SHARE);
    let mut connection = worst::connect(server.address());
    let root = connection.mount("/export");
    worst::fill(&mut connection, &root, 8_000);
    for (what, shape, dircount) in [("large listings", (20, 4), 1 << 20), ("dircount 0", (4, 32), 0)] {
        let until = Instant::now() + LISTINGS;
        let list = || worst::list_again_and_again(server.address(), &root, shape, (dircount, 1 << 20), until);
        let (latencies, replies) = worst::beside(server.address(), &root, list);
        assert!(replies > 20, "{what}: {replies}");
        assert_goes_on(what, &latencies);
    }
}

#[test]
fn files_of_many_slices_leave_a_neighbour_its_turn() {
    let server = serve(ONE_SHARE);
    let mut connection = worst::connect(server.address());
    let root = connection.mount("/export");
    let file = worst::make_file(&mut connection, &root, "slices");
    worst::write_slices(&mut connection, &file, 20_000);
    let (latencies, ()) = worst::beside(server.address(), &file, || {
        worst::read_again_and_again(server.address(), &file, 40, 8);
        worst::commit(&mut connection, &file);
    });
    assert_goes_on("reads over 20,000 slices", &latencies);
}

#[test]
fn what_clients_hold_is_bounded_in_all() {
    let server = frugal();
    let mut connection = worst::connect(server.address());
    let root = connection.mount("/export");
    let file = worst::make_file(&mut connection, &root, "file");
    worst::write_at_full_depth(server.address(), &file, 1, 64);
    worst::commit(&mut connection, &file);
    let before = server.resident_bytes_max();
    worst::write_at_full_depth(server.address(), &file, 20, 8);
    let halves = worst::half_records(server.address(), &file, 150);
    connection.mount("/export");
    drop(halves);
    let silent = worst::replies_not_taken(server.address(), &file, 50, 32);
    connection.mount("/export");
    drop(silent);
    // Bytes that are written anew are content, kept beside the old content until that is collected. The replies that
    // nobody takes alone would be 1,600 MiB.
    let grown = server.resident_bytes_max().saturating_sub(before) >> 20;
    assert!(grown < 20 * 8 + 24 + 64, "{grown} MiB more");
}
