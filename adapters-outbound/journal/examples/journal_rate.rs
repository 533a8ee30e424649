//! How many durable records a second a journal takes, and how long it takes to recover them:
//! `journal_rate FOLDER [BYTES] [WRITERS] [SECONDS] [KEEP]`. With `KEEP` 1 records are not released, until 1 GiB is full.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dittofs_domain::{Epoch, NodeId, Sequence, Timestamp};
use dittofs_journal::{JournalId, JournalOptions, MmapJournal};
use dittofs_ports::{Journal, JournalError, Record};
use tokio::task::JoinSet;

fn argument(index: usize, default: u64) -> u64 {
    std::env::args().nth(index).and_then(|argument| argument.parse().ok()).unwrap_or(default)
}

async fn writer(
    journal: Arc<MmapJournal>,
    node: u64,
    data: Bytes,
    end: Instant,
    keep: bool,
) -> Result<u64, JournalError> {
    let mut count = 0;
    while Instant::now() < end {
        let record = Record {
            node: NodeId(node),
            offset: 0,
            data: data.clone(),
            size: data.len() as u64,
            time: Timestamp::EPOCH,
            epoch: Epoch(1),
            copy_of: None,
        };
        let appended = match journal.append(record).await {
            Err(JournalError::Full) => break,
            appended => appended?,
        };
        journal.sync(appended.sequence).await?;
        if !keep {
            journal.release(&[appended]).await?;
        }
        count += 1;
    }
    Ok(count)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("FOLDER is missing")?);
    let (bytes, writers, seconds) = (argument(2, 64 << 10), argument(3, 16), argument(4, 5));
    let journal =
        Arc::new(MmapJournal::create_at(&folder, JournalId(1), Sequence(0), JournalOptions::new(1 << 30, 64 << 20))?);
    journal.recover(Sequence(0)).await?;
    let data = Bytes::from(vec![0x5a; bytes as usize]);
    let start = Instant::now();
    let end = start + Duration::from_secs(seconds);
    let mut tasks = JoinSet::new();
    for node in 0..writers {
        tasks.spawn(writer(Arc::clone(&journal), node + 4, data.clone(), end, argument(5, 0) == 1));
    }
    let mut records = 0;
    while let Some(count) = tasks.join_next().await {
        records += count??;
    }
    let rate = records as f64 / start.elapsed().as_secs_f64();
    let mib = rate * bytes as f64 / f64::from(1 << 20);
    println!("{writers} writers, {bytes} bytes each: {rate:.0} durable records/s, {mib:.0} MiB/s");
    drop(journal);
    let start = Instant::now();
    let journal = MmapJournal::open_at(&folder, None, JournalOptions::new(1 << 30, 64 << 20))?;
    let recovered = journal.recover(Sequence(0)).await?.len();
    println!("{recovered} records of {records} recovered in {:.2} s", start.elapsed().as_secs_f64());
    Ok(())
}
