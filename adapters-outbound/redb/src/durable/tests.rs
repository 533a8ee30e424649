#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use super::*;
use crate::{
    codec, keys,
    open::{BackendOpener, Part},
    options::RedbOptions,
    tables::Kind,
};

const KEY: &[u8] = b"key";

/// The bytes of database and log.
#[derive(Clone, Debug, Default)]
struct Files([Bytes; 2]);

#[derive(Clone, Debug, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl StorageBackend for Bytes {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        out.copy_from_slice(&self.0.lock().unwrap()[offset as usize..offset as usize + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.lock().unwrap().resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap()[offset as usize..offset as usize + data.len()].copy_from_slice(data);
        Ok(())
    }
}

impl Files {
    /// Copies the files as a machine that stops now leaves them.
    fn copy(&self) -> Files {
        Files(self.0.each_ref().map(|file| Bytes(Arc::new(Mutex::new(file.0.lock().unwrap().clone())))))
    }

    fn open(&self) -> Result<Durable, OpenError> {
        let files = self.0.clone();
        let options = RedbOptions { cache_bytes: 256 << 10, log_bytes: 16 << 10, ..RedbOptions::new("") };
        Durable::open(&BackendOpener::new(options, move |part: Part| Ok(files[part as usize].clone())), false)
    }
}

/// Writes a value, as the writer does it.
fn put(durable: &mut Durable, value: &[u8]) {
    let transaction = durable.begin().unwrap();
    let mut tables = Writable::open(&transaction).unwrap();
    tables.put(Kind::Share, KEY, Some(value)).unwrap();
    let number = codec::encode_count(durable.transactions() + 1);
    let count = keys::count(dittofs_domain::ShareId(0), Count::Transactions);
    tables.put(Kind::Count, &count, Some(&number)).unwrap();
    let redo = tables.into_redo();
    assert!(durable.commit(transaction, &redo, || ()).unwrap());
}

fn value(durable: &Durable) -> Vec<u8> {
    let found = durable.snapshot().unwrap().read(Kind::Share, KEY, |value| Ok(value.to_vec()));
    found.unwrap().unwrap_or_default()
}

#[test]
pub(crate) fn what_was_committed_is_there_at_the_next_opening() {
    let files = Files::default();
    let mut durable = files.open().unwrap();
    for number in 0..40_u8 {
        put(&mut durable, &[number; 700]);
        assert_eq!(value(&files.copy().open().unwrap()), [number; 700], "the machine stops after commit {number}");
    }
}

#[test]
pub(crate) fn what_follows_a_filling_of_the_log_is_not_undone() {
    let files = Files::default();
    let mut durable = files.open().unwrap();
    let mut fillings = 0;
    for number in 0..60_u8 {
        put(&mut durable, &[number; 700]);
        // The one that did not fit was committed without a record: nothing of the log may follow it.
        if durable.is_checkpointed() {
            fillings += 1;
            assert_eq!(value(&files.copy().open().unwrap()), [number; 700]);
        }
    }
    assert!(fillings >= 2, "the log was filled {fillings} times");
}

#[test]
pub(crate) fn an_older_database_beside_a_newer_log_is_refused() {
    let files = Files::default();
    let mut durable = files.open().unwrap();
    put(&mut durable, b"older");
    let older = files.copy();
    durable.checkpoint().unwrap();
    put(&mut durable, b"newer");
    let mixed = Files([older.0[0].clone(), files.copy().0[1].clone()]);
    let refused = mixed.open().err().expect("the two don't belong together");
    assert!(refused.to_string().contains("later time"), "{refused}");
}
