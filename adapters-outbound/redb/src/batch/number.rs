//! Changes that belong to no plan: rows of shares, and numbers that nobody else ever gets.

use std::{ops::Range, sync::Arc};

use dittofs_domain::{Node, NodeId, Tree};
use dittofs_ports::{Counter, ShareRecord};

use super::{Batch, Refused};
use crate::{
    codec,
    fault::Fault,
    keys::{self, Count},
    tables::{Kind, unsigned},
};

impl Batch<'_> {
    /// Makes a share, unless it is there.
    pub(crate) fn create_share(&mut self, record: &ShareRecord, root: &Node) -> Result<(), Refused> {
        if self.tables.has(Kind::Share, &keys::share(record.id))? {
            return Ok(());
        }
        self.tables.put(Kind::Share, &keys::share(record.id), Some(&codec::encode_share(record)))?;
        let root = Node { since: self.tree(record.id)?, ..root.clone() };
        self.put_node(record.id, root.id, Some(Arc::new(root)))?;
        self.put_count(record.id, Count::Nodes, 1);
        self.is_changed = true;
        Ok(())
    }

    /// Replaces the row of a share.
    pub(crate) fn put_record(&mut self, record: &ShareRecord) -> Result<(), Refused> {
        if !self.tables.has(Kind::Share, &keys::share(record.id))? {
            return Err(Fault::damaged(format!("share {} has no row", record.name)).into());
        }
        // Damage in the row that is replaced does not matter.
        let folding = self.tables.share(record.id).ok().flatten().and_then(|stored| stored.folding);
        let record = ShareRecord { folding: folding.or(record.folding), ..record.clone() };
        self.tables.put(Kind::Share, &keys::share(record.id), Some(&codec::encode_share(&record)))?;
        self.is_changed = true;
        Ok(())
    }

    /// Takes numbers.
    pub(crate) fn allocate(
        &mut self,
        share: dittofs_domain::ShareId,
        counter: Counter,
        count: u64,
    ) -> Result<Range<u64>, Refused> {
        let (what, first, last) = match counter {
            Counter::Ids => (Count::Ids, NodeId::FIRST_FREE.0, NodeId::MAX.0),
            Counter::Stamps => (Count::Stamps, 1, NodeId::MAX.0),
            Counter::Epochs => (Count::Epochs, 1, NodeId::MAX.0),
            Counter::Trees => (Count::Trees, Tree::FIRST.0.into(), Tree::MAX.0.into()),
        };
        let start = unsigned(self.count(share, what)?)?.max(first);
        let end = start.checked_add(count).filter(|end| *end <= last);
        let end = end.ok_or_else(|| Fault::damaged("all numbers are used up"))?;
        self.put_count(share, what, end.cast_signed());
        self.is_changed = true;
        Ok(start..end)
    }
}
