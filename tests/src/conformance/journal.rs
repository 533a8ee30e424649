//! Journals: what was appended reads back until it is released, and survives what the journal says.

mod append;
mod read;
mod recover;
mod release;

pub use append::*;
pub use read::*;
pub use recover::*;
pub use release::*;

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{Epoch, NodeId, Sequence, Timestamp};
use dittofs_ports::{Appended, Journal, JournalError, Record};

use super::payload::bytes;

/// Stamps the suite of journals on an adapter; the factory is an `async |limit: u64| -> Arc<dyn Journal>`, which may
/// round the limit up.
#[macro_export]
macro_rules! journal_conformance {
    ($adapter:ident, $open:expr) => {
        mod $adapter {
            use super::*;
            $crate::conformance_cases! {
                journal, $open;
                numbers_start_above_zero_and_rise,
                numbers_rise_for_each_node_among_concurrent_appends,
                a_full_journal_refuses_and_changes_nothing,
                a_record_does_not_pin_the_buffer_it_was_cut_from,
                appended_bytes_read_back,
                any_part_of_a_record_reads_back,
                a_range_beyond_a_record_is_refused,
                concurrent_reads_and_appends_do_not_mix_records_up,
                syncs_of_many_tasks_cover_their_records,
                a_sync_of_what_is_durable_already_succeeds,
                a_released_record_is_not_found,
                releasing_keeps_the_other_records,
                releasing_twice_is_releasing_once,
                usage_counts_up_and_returns_to_zero,
                a_release_makes_room,
                numbers_rise_on_after_everything_was_released,
                a_new_journal_recovers_nothing,
                synced_records_are_recovered_in_order,
                released_records_are_not_recovered,
                a_copy_has_the_number_of_its_record,
                copies_are_recovered_where_their_records_were,
                numbers_rise_on_after_recovery,
            }
        }
    };
}

/// Large enough for every case but those that fill the journal.
const AMPLE: u64 = 64 << 20;

fn write(node: u64, offset: u64, data: Bytes) -> Record {
    let size = offset + data.len() as u64;
    let time = Timestamp::new(1_700_000_000 + node as i64, 5).unwrap();
    Record { node: NodeId(node), offset, data, size, time, epoch: Epoch(3), copy_of: None }
}

/// Opens a journal for use: recovery comes before the first append.
async fn start(open: &impl AsyncFn(u64) -> Arc<dyn Journal>, limit: u64) -> Arc<dyn Journal> {
    let journal = open(limit).await;
    journal.recover(Sequence(0)).await.unwrap();
    journal
}

/// Reads a part in both ways.
async fn read(journal: &Arc<dyn Journal>, at: &Appended, skip: usize, len: usize) -> Result<Bytes, JournalError> {
    let (skip, len) = (skip as u32, len as u32);
    let now = journal.read_now(at.place, skip, len);
    let read = journal.read(at.place, skip, len).await;
    if let (Some(now), Ok(read)) = (now, &read) {
        assert_eq!(now, read, "read_now and read differ");
    }
    read
}

async fn assert_released(journal: &Arc<dyn Journal>, at: &Appended, len: usize) {
    assert_eq!(journal.read_now(at.place, 0, len as u32), None);
    let answer = journal.read(at.place, 0, len as u32).await;
    assert!(matches!(answer, Err(JournalError::NotFound)), "{answer:?}");
}

/// Appends writes of `len` bytes until the journal is full.
async fn fill(journal: &Arc<dyn Journal>, len: usize) -> Vec<Appended> {
    let mut appended = Vec::new();
    loop {
        let seed = appended.len() as u64;
        match journal.append(write(4, seed * len as u64, bytes(seed, len))).await {
            Ok(at) => appended.push(at),
            Err(JournalError::Full) => return appended,
            Err(error) => panic!("{error:?}"),
        }
        assert!(journal.usage().used <= journal.usage().limit, "{:?}", journal.usage());
    }
}
