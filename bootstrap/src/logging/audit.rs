//! Who changed what: a line of JSON for each change, in a file that a rotation may move away.

mod refusal;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Instant;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tracing::Event;

use super::fields::Fields;
use super::limiter::{Held, Limiter};
use super::lines::{insert, timestamp};
use refusal::Refusal;

/// Lines that wait for the disk: a second of the fastest changes. What comes beyond is counted, as no client may wait
/// for a log.
const QUEUE_MAX: usize = 16_384;
/// Refused changes of a kind that are written in a minute; the others are counted. Whoever holds a handle can have as many
/// refused as the server answers. What succeeds is always written: it needs a permission, and is what the file is for.
const REFUSALS_BURST: u32 = 10;
/// Who may read what others do: the server's user, and the group that the folder is for.
const MODE: u32 = 0o640;
const FOLDER_MODE: u32 = 0o700;

/// Why the file can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the file for who changed what, {}, can't be written: {source}; name another one by log.audit", path.display())]
pub struct AuditError {
    path: PathBuf,
    source: io::Error,
}

/// The file, and the thread that writes it; copies are the same one.
#[derive(Clone, Debug)]
pub(super) struct Audit {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    queue: SyncSender<Order>,
    /// Refused changes that are not recorded one by one.
    refusals: Mutex<Limiter<Refusal>>,
    /// Changes whose lines found no room.
    missed: Arc<AtomicU64>,
}

enum Order {
    Write(String),
    Reopen,
    /// All before it is written when this is answered.
    Finish(SyncSender<()>),
}

impl Audit {
    pub(super) fn open(path: &Path) -> Result<Audit, AuditError> {
        let failed = |source| AuditError { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder).map_err(failed)?;
        }
        let file = append_to(path).map_err(failed)?;
        let (queue, orders) = sync_channel(QUEUE_MAX);
        let missed = Arc::new(AtomicU64::new(0));
        let writer = Writer { path: path.to_owned(), file: BufWriter::new(file), missed: Arc::clone(&missed) };
        let spawned = thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run(&orders));
        spawned.map_err(failed)?;
        let refusals = Mutex::new(Limiter::new(REFUSALS_BURST));
        Ok(Audit { shared: Arc::new(Shared { path: path.to_owned(), queue, refusals, missed }) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Goes on in a new file of this name.
    pub(super) fn reopen(&self) {
        // It fails only where the thread has panicked.
        let _ = self.shared.queue.send(Order::Reopen);
    }

    /// Waits until all is written.
    pub(super) fn finish(&self) {
        let (done, is_done) = sync_channel(1);
        if self.shared.queue.send(Order::Finish(done)).is_ok() {
            let _ = is_done.recv();
        }
    }

    /// Writes an event about a change as a line of JSON. Of changes that were refused only some are written.
    pub(super) fn note(&self, event: &Event<'_>) {
        let mut fields = Fields::of(true);
        event.record(&mut fields);
        if let Some(refusal) = Refusal::of(&fields)
            && !self.shared.refusals.lock().admits(&refusal, Instant::now(), || refusal.clone())
        {
            return;
        }
        let mut object = Map::new();
        object.insert("timestamp".to_owned(), timestamp().into());
        insert(&mut object, &fields);
        self.write(Value::from(object).to_string());
    }

    /// Reports how many refused changes were not written, of minutes that have ended, or of all.
    pub(super) fn report_held(&self, all: bool) {
        let held = self.shared.refusals.lock().take_held(Instant::now(), all);
        for Held { count, common } in held {
            let message = format!("{count} more like this in the last minute");
            let line = match common {
                Some(Refusal { client, procedure, share, result }) => json!({
                    "timestamp": timestamp(), "client": client, "procedure": procedure, "share": share,
                    "result": result, "more": count, "message": message,
                }),
                None => json!({"timestamp": timestamp(), "more": count, "message": format!("{count} more refusals")}),
            };
            self.write(line.to_string());
        }
    }

    fn write(&self, line: String) {
        if let Err(TrySendError::Full(_)) = self.shared.queue.try_send(Order::Write(line)) {
            self.shared.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(MODE).open(path)
}

struct Writer {
    path: PathBuf,
    file: BufWriter<File>,
    missed: Arc<AtomicU64>,
}

impl Writer {
    fn run(mut self, orders: &Receiver<Order>) {
        while let Ok(order) = orders.recv() {
            let mut next = Some(order);
            while let Some(order) = next {
                self.carry_out(order);
                next = orders.try_recv().ok();
            }
            self.report_missed();
            self.note(Writer::flush);
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Write(line) => self.note(|writer| writeln!(writer.file, "{line}")),
            Order::Reopen => {
                self.note(Writer::flush);
                match append_to(&self.path) {
                    Ok(file) => self.file = BufWriter::new(file),
                    Err(error) => self.failed(&error),
                }
            }
            Order::Finish(done) => {
                self.report_missed();
                self.note(Writer::flush);
                // Whoever asked may have given up.
                let _ = done.send(());
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    fn report_missed(&mut self) {
        let missed = self.missed.swap(0, Ordering::Relaxed);
        if missed > 0 {
            let line = json!({"timestamp": timestamp(), "missed": missed});
            self.note(|writer| writeln!(writer.file, "{line}"));
            tracing::warn!(missed, file = %self.path.display(), "changes were not recorded: the disk is too slow");
        }
    }

    fn note(&mut self, work: impl FnOnce(&mut Writer) -> io::Result<()>) {
        if let Err(error) = work(self) {
            self.failed(&error);
        }
    }

    fn failed(&self, error: &io::Error) {
        tracing::error!(file = %self.path.display(), %error, "who changed what can't be recorded");
    }
}

#[cfg(test)]
mod tests;
