//! A share goes, with everything that it has.

use dittofs_domain::ShareId;

use super::{Batch, Refused};
use crate::{
    keys,
    share_snapshot::KINDS_OF_SHARE,
    tables::{Kind, Writable},
};

/// Rows that one request removes: about as many as a plan may change.
const ROWS_MAX: usize = 4_096;

impl Batch<'_> {
    /// Removes some rows of a share, and its own one last; answers whether nothing is left.
    pub(crate) fn remove_share(&mut self, share: ShareId) -> Result<bool, Refused> {
        self.forget_share(share);
        let mut rows = 0;
        for kind in KINDS_OF_SHARE {
            for key in keys_of(&self.tables, kind, share, ROWS_MAX - rows)? {
                self.tables.put(kind, &key, None)?;
                rows += 1;
            }
        }
        self.is_changed = true;
        if rows < ROWS_MAX {
            self.tables.put(Kind::Share, &keys::share(share), None)?;
        }
        Ok(rows < ROWS_MAX)
    }
}

fn keys_of(tables: &Writable<'_>, kind: Kind, share: ShareId, max: usize) -> Result<Vec<Vec<u8>>, Refused> {
    let mut found = Vec::new();
    tables.scan(kind, keys::of_share(share), |key, _| {
        if found.len() < max {
            found.push(key.to_vec());
        }
        Ok(found.len() < max)
    })?;
    Ok(found)
}
