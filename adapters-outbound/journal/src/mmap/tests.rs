use std::sync::Arc;

use dittofs_domain::{Epoch, NodeId, Timestamp};

use super::failure::SyncLoss;
use super::*;
use disk::Disk;

mod damage;
mod disk;
mod failure;
mod full;
mod golden;
mod identity;
mod power;
mod seeded_bugs;
mod space;

const ID: JournalId = JournalId(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
const SEGMENT: u64 = 64 << 10;

/// Eight small segments.
fn options() -> JournalOptions {
    JournalOptions { limit_bytes: 8 * SEGMENT, segment_bytes: SEGMENT, accept_loss: false }
}

async fn created(disk: &Arc<Disk>) -> MmapJournal {
    let journal = MmapJournal::create(disk.clone(), ID, Sequence(0), options()).unwrap();
    assert!(journal.recover(Sequence(0)).await.unwrap().is_empty());
    journal
}

/// Opens it again, and recovers.
async fn reopened(disk: &Arc<Disk>) -> (MmapJournal, Vec<(Appended, Record)>) {
    let journal = MmapJournal::open(disk.clone(), Some(ID), options()).unwrap();
    let records = journal.recover(Sequence(0)).await.unwrap();
    (journal, records)
}

fn write(node: u64, seed: u64, len: usize) -> Record {
    let data = Bytes::from_iter((0..len as u64).map(|at| (seed.wrapping_mul(31) + at * 7 + (at >> 8)) as u8));
    let time = Timestamp::new(1_700_000_000, seed as u32).unwrap();
    Record { node: NodeId(node), offset: seed, data, size: seed + len as u64, time, epoch: Epoch(3), copy_of: None }
}

/// Appends records until the log's last segment has another number, and makes all durable.
async fn fill_segment(journal: &MmapJournal, seed: u64) -> Vec<(Appended, Record)> {
    let mut appended: Vec<(Appended, Record)> = Vec::new();
    loop {
        let record = write(9, seed + appended.len() as u64, 8_000);
        let at = journal.append(record.clone()).await.unwrap();
        appended.push((at, record));
        if at.place.segment != appended[0].0.place.segment {
            journal.sync(at.sequence).await.unwrap();
            return appended;
        }
    }
}

/// Waits for work on blocking threads to end: the journal is then only here.
async fn wait_until_idle(journal: &MmapJournal) {
    while Arc::strong_count(&journal.shared) > 1 {
        tokio::task::yield_now().await;
    }
}

async fn closed(journal: MmapJournal) {
    wait_until_idle(&journal).await;
}
