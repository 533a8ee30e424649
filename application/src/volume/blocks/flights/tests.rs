use std::task::Poll;

use futures_util::poll;

use super::*;

const BLOCK: Block = (ObjectId(7), 64);

fn frame(number: u32) -> (u32, Bytes) {
    (number, Bytes::copy_from_slice(&number.to_le_bytes()))
}

#[tokio::test]
async fn a_frame_has_one_who_fetches_it_and_the_others_get_what_it_brings() {
    let flights = Flights::default();
    let (first, none) = flights.claim(BLOCK, 0..4);
    assert_eq!((first.frames.as_slice(), none.len()), ([0, 1, 2, 3].as_slice(), 0));
    let (second, others) = flights.claim(BLOCK, 2..6);
    assert_eq!((second.frames.as_slice(), others.len()), ([4, 5].as_slice(), 1));
    let (elsewhere, none) = flights.claim((ObjectId(7), 0), 2..3);
    assert_eq!((elsewhere.frames.len(), none.len()), (1, 0), "another block of the object");
    let mut waiting = Box::pin(others[0].frames());
    assert_eq!(poll!(&mut waiting), Poll::Pending);
    first.land((0..4).map(frame).collect());
    assert_eq!(waiting.await, (0..4).map(frame).collect::<Vec<_>>());
    assert_eq!(others[0].frames().await.len(), 4, "who asks late is answered as well");
    drop((second, elsewhere));
    assert_eq!(flights.len(), 0);
}

#[tokio::test]
async fn who_gives_up_wakes_the_others_with_nothing() {
    let flights = Flights::default();
    let (claim, _) = flights.claim(BLOCK, 1..2);
    let (nothing, others) = flights.claim(BLOCK, 1..2);
    assert!(nothing.frames.is_empty());
    drop(nothing);
    assert_eq!(flights.len(), 1, "who claimed nothing takes nothing away");
    drop(claim);
    assert!(others[0].frames().await.is_empty());
    assert_eq!(flights.claim(BLOCK, 1..2).0.frames, [1]);
}
