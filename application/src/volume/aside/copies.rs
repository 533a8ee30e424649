//! Records of files whose own rows are damaged, which are in no index: copied, they keep their numbers.

use dittofs_domain::Sequence;
use dittofs_ports::{JournalError, Record};

use super::{Unplaced, Volume};

impl Volume {
    /// Copies the records that are in no index to the journal's end. A crash in between leaves records and copies, which
    /// have the same numbers and bytes.
    pub(super) async fn copy_unplaced(&self) -> Result<(), JournalError> {
        let unplaced = self.aside.unplaced.lock().clone();
        let mut again = Vec::with_capacity(unplaced.len());
        let written = self.append_copies(&unplaced, &mut again).await;
        let given_up = match written {
            Ok(()) => {
                *self.aside.unplaced.lock() = again;
                unplaced
            }
            Err(_) => again,
        };
        self.release(given_up.into_iter().map(|one| one.appended).collect()).await;
        written
    }

    async fn append_copies(&self, unplaced: &[Unplaced], again: &mut Vec<Unplaced>) -> Result<(), JournalError> {
        for Unplaced { appended, length, record } in unplaced {
            let data = self.stores.journal.read(appended.place, 0, *length).await?;
            let copy = Record { data, copy_of: Some(appended.sequence), ..record.clone() };
            let appended = self.stores.journal.append(copy).await?;
            again.push(Unplaced { appended, length: *length, record: record.clone() });
        }
        // Their numbers are durable already, those of the first ones.
        self.stores.journal.sync(Sequence(u64::MAX >> 1)).await
    }
}
