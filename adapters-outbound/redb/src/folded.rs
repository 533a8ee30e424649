//! The index of folded names: a row for each entry whose folded name is another one, under that name.

use dittofs_domain::{
    Cookie, FoldTable, Name, NodeId, ShareId,
    plan::{EntryKey, FOLDED_MAX},
};

use crate::{
    codec,
    fault::Fault,
    keys,
    tables::{Kind, Readable, Tables, Writable},
};

/// The entries of the index under a folded name.
pub(crate) struct Rows {
    /// The key that an entry has whose name is the folded one.
    pub(crate) folded: EntryKey,
    /// Cookie, name and node of each, in the order of the cookies: the first [`FOLDED_MAX`].
    pub(crate) others: Vec<(Cookie, Name, NodeId)>,
}

impl<T: Readable> Tables<T> {
    /// The table by which a share folds names. Every share has one once the database is open.
    pub(crate) fn folding(&self, share: ShareId) -> Result<FoldTable, Fault> {
        Ok(self.share(share)?.and_then(|record| record.folding).unwrap_or(FoldTable::NEWEST))
    }

    /// What the index has for a name.
    pub(crate) fn folded(&self, share: ShareId, table: FoldTable, key: &EntryKey) -> Result<Rows, Fault> {
        let folded = EntryKey { name: table.folded(&key.name), ..*key };
        let mut others = Vec::new();
        let keys = keys::folded(share, &folded, Cookie(0))..=keys::folded(share, &folded, Cookie(u64::MAX));
        self.scan(Kind::Folded, keys, |key, value| {
            let cookie = key.len().checked_sub(size_of::<u64>()).and_then(|at| keys::number_at(key, at));
            let cookie = Cookie(cookie.ok_or_else(|| Fault::damaged("a folded name's key that is too short"))?);
            let (node, name) = codec::decode_listing(value)?;
            others.push((cookie, name, node));
            Ok(others.len() < FOLDED_MAX)
        })?;
        Ok(Rows { folded, others })
    }
}

/// Puts an entry into the index by the bytes of its row, if its folded name is another one. One that makes no sense
/// is left to the check of the share.
pub(crate) fn fold_entry(
    tables: &mut Writable<'_>,
    share: ShareId,
    table: FoldTable,
    key: &[u8],
    value: &[u8],
) -> Result<bool, Fault> {
    let Some(entry) = keys::entry_of(key) else { return Ok(false) };
    let (Some(name), Ok((node, cookie))) = (table.fold(&entry.name), codec::decode_entry(value)) else {
        return Ok(false);
    };
    let row = codec::encode_listing(node, &entry.name);
    tables.put(Kind::Folded, &keys::folded(share, &EntryKey { name, ..entry }, cookie), Some(&row))?;
    Ok(true)
}
