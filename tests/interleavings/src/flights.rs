//! Fetches: what somebody fetches already is waited for, and a fetch that fails is left to those who wait.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::ObjectId;
use shuttle::{future::block_on, sync::Mutex, thread};

use crate::{copied, holds, is_broken};

copied!(flights);
copied!(flights_never_end);

/// Three threads want the same two frames. The first fetch of all fails.
macro_rules! scenario {
    ($source:ident) => {
        || {
            let flights = Arc::new($source::Flights::default());
            // How many fetches were begun, and the frames that were brought.
            let (begun, cache) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new([false; 2])));
            let work = || {
                let (flights, begun, cache) = (Arc::clone(&flights), Arc::clone(&begun), Arc::clone(&cache));
                thread::spawn(move || {
                    let mut has = [false; 2];
                    for _ in 0..20 {
                        has = std::array::from_fn(|frame| has[frame] || cache.lock().unwrap()[frame]);
                        if has == [true; 2] {
                            return;
                        }
                        let missing = (0..2u32).filter(|frame| !has[*frame as usize]);
                        let (claim, others) = flights.claim((ObjectId(1), 64), missing);
                        let fails = !claim.frames.is_empty() && {
                            let mut begun = begun.lock().unwrap();
                            *begun += 1;
                            *begun == 1
                        };
                        if fails {
                            drop(claim);
                        } else {
                            let ours: Vec<(u32, Bytes)> =
                                claim.frames.iter().map(|frame| (*frame, Bytes::new())).collect();
                            for (frame, _) in &ours {
                                cache.lock().unwrap()[*frame as usize] = true;
                                has[*frame as usize] = true;
                            }
                            claim.land(ours);
                        }
                        for other in others {
                            for (frame, _) in block_on(other.frames()) {
                                has[*frame as usize] = true;
                            }
                        }
                    }
                    assert_eq!(has, [true; 2], "the frames never come");
                })
            };
            for worker in [work(), work(), work()] {
                worker.join().unwrap();
            }
            assert_eq!(flights.len(), 0, "a frame is on its way for ever");
        }
    };
}

#[test]
fn everybody_gets_the_frames_though_a_fetch_fails() {
    holds(scenario!(flights));
}

#[test]
fn a_fetch_that_never_ends_for_those_who_wait_is_found() {
    is_broken(scenario!(flights_never_end));
}
