use std::future::Future;

use dittofs_domain::{Epoch, NodeId, Timestamp};

use super::*;

/// Nothing here ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a null journal waited"),
    }
}

fn write(journal: &NullJournal, data: impl Into<Bytes>) -> Result<Appended, JournalError> {
    let (data, time) = (data.into(), Timestamp::EPOCH);
    now(journal.append(Record { node: NodeId(9), offset: 0, data, size: 100, time, epoch: Epoch(1), copy_of: None }))
}

#[test]
fn data_are_copied_out_of_the_buffer_that_they_came_in() {
    let journal = NullJournal::new(1 << 20);
    let received = Bytes::from(vec![7; 100_000]);
    let appended = write(&journal, received.slice(10..20)).unwrap();
    assert!(received.is_unique());
    assert_eq!(journal.read_now(appended.place, 2, 8).unwrap(), vec![7; 8]);
    assert_eq!(journal.read_now(appended.place, 2, 9), None);
    assert_eq!(journal.read_now(appended.place, u32::MAX, u32::MAX), None);
}

#[test]
fn a_full_journal_takes_nothing_until_something_is_released() {
    let journal = NullJournal::new(1_000);
    let first = write(&journal, vec![1; 800]).unwrap();
    let used = journal.usage().used;
    assert!(matches!(write(&journal, vec![2; 800]), Err(JournalError::Full)));
    assert_eq!(journal.usage(), JournalUsage { used, limit: 1_000 });
    now(journal.release(&[first])).unwrap();
    now(journal.release(&[first])).unwrap();
    assert_eq!(journal.usage().used, 0);
    assert!(matches!(now(journal.read(first.place, 0, 1)), Err(JournalError::NotFound)));
    write(&journal, vec![2; 800]).unwrap();
}

#[test]
fn what_was_read_outlives_the_release() {
    let journal = NullJournal::new(4 << 20);
    let first = write(&journal, vec![1; 1 << 20]).unwrap();
    let read = journal.read_now(first.place, 5, 1_000).unwrap();
    now(journal.release(&[first])).unwrap();
    let second = write(&journal, vec![2; 1 << 20]).unwrap();
    assert_eq!(read, vec![1; 1_000]);
    assert_eq!(journal.read_now(second.place, 0, 10).unwrap(), vec![2; 10]);
}

#[test]
fn numbers_are_never_given_twice_to_threads_that_append_at_once() {
    let journal = NullJournal::new(1 << 30);
    let mut all: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| (0..2_000).map(|_| write(&journal, vec![3; 10]).unwrap().sequence.0).collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    all.sort_unstable();
    assert!(all.into_iter().eq(1..=8_000));
}
