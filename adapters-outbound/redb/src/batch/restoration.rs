//! A share comes back from a backup: rows first, and its own row last.

use dittofs_domain::{FoldTable, ShareId};
use dittofs_ports::{Counter, ShareRecord, SnapshotRow};

use super::{Batch, Refused};
use crate::{
    codec,
    folded::fold_entry,
    keys::{self, KEY_LEN_MAX},
    share_snapshot::KINDS_OF_SHARE,
    tables::Kind,
};

impl Batch<'_> {
    /// Puts rows of a share that is not there yet.
    pub(crate) fn restore_rows(&mut self, share: ShareId, rows: &[SnapshotRow]) -> Result<(), Refused> {
        if self.tables.has(Kind::Share, &keys::share(share))? {
            return Err(Refused::Malformed);
        }
        self.forget_share(share);
        for SnapshotRow { table, key, value } in rows {
            let kind = Kind::of(*table)
                .filter(|kind| KINDS_OF_SHARE.contains(kind) && *kind != Kind::Folded)
                .ok_or(Refused::Malformed)?;
            let key = keys::with_share(share, key);
            // None is as short as the key of the share's own row.
            if key.len() <= keys::share(share).len() || key.len() > KEY_LEN_MAX {
                return Err(Refused::Malformed);
            }
            if kind == Kind::Reference && keys::reference_of(&key).is_none() {
                return Err(Refused::Malformed);
            }
            self.tables.put(kind, &key, Some(value))?;
            if kind == Kind::Entry {
                fold_entry(&mut self.tables, share, FoldTable::NEWEST, &key, value)?;
            }
        }
        self.is_changed = true;
        Ok(())
    }

    /// Makes a share of its rows.
    pub(crate) fn restore_share(&mut self, record: &ShareRecord, ahead: u64) -> Result<(), Refused> {
        let key = keys::share(record.id);
        if self.tables.has(Kind::Share, &key)? {
            return Err(Refused::Malformed);
        }
        self.forget_share(record.id);
        for counter in [Counter::Ids, Counter::Stamps, Counter::Epochs] {
            self.allocate(record.id, counter, ahead)?;
        }
        let record = ShareRecord { folding: Some(FoldTable::NEWEST), ..record.clone() };
        self.tables.put(Kind::Share, &key, Some(&codec::encode_share(&record)))?;
        self.is_changed = true;
        Ok(())
    }

    /// Forgets the rows that are held of a share. Nobody uses that share, so they were only read.
    pub(super) fn forget_share(&mut self, share: ShareId) {
        self.nodes.retain(|(of, _), _| *of != share);
        self.counts.retain(|(of, _), _| *of != share);
        self.foldings.remove(&share);
    }
}
