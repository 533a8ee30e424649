use futures_util::FutureExt;

use super::*;

fn peer(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

#[test]
fn connections_take_turns_whatever_the_number_of_their_calls() {
    let semaphore = FairSemaphore::new(1);
    let mut permit = semaphore.take(peer(9)).now_or_never();
    assert!(permit.is_some());
    let order = [1, 1, 1, 2, 3, 2];
    let mut waiting: Vec<_> = order.iter().map(|port| (*port, Box::pin(semaphore.take(peer(*port))))).collect();
    waiting.iter_mut().for_each(|(_, call)| assert!(call.as_mut().now_or_never().is_none()));
    let mut served = Vec::new();
    while permit.take().is_some() {
        for (port, call) in &mut waiting {
            if *port != 0
                && let Some(next) = call.as_mut().now_or_never()
            {
                served.push(std::mem::take(port));
                permit = Some(next);
            }
        }
    }
    assert_eq!(served, [1, 2, 3, 1, 2, 1]);
}

#[test]
fn a_call_that_is_gone_passes_its_permit_on() {
    let semaphore = FairSemaphore::new(1);
    let first = semaphore.take(peer(1)).now_or_never();
    let mut gone = Box::pin(semaphore.take(peer(2)));
    let mut next = Box::pin(semaphore.take(peer(3)));
    assert!(gone.as_mut().now_or_never().is_none() && next.as_mut().now_or_never().is_none());
    drop(gone);
    drop(first);
    assert!(next.as_mut().now_or_never().is_some());
    drop(next);
    // It was granted, but dropped before anybody looked.
    let first = semaphore.take(peer(1)).now_or_never();
    let mut granted = Box::pin(semaphore.take(peer(2)));
    assert!(granted.as_mut().now_or_never().is_none());
    drop(first);
    drop(granted);
    assert!(semaphore.take(peer(1)).now_or_never().is_some());
}
