//! The keys that seal a share's content. Each stands in the share's row before it seals anything, so that a start can
//! say which one is missing before anybody reads.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use dittofs_domain::{
    KeyId, NodeId,
    check::map_from,
    content::{Extent, MapRow},
    error::FsResult,
    plan::Query,
};
use dittofs_ports::{MetadataError, ShareRecord};

use crate::volume::{
    breathe::breathe,
    scan::{nodes_after, pages_in},
    sealing::Sealing,
};

/// Nodes that are read at a time where a share from before there were fingerprints is looked through. A turn of the
/// store: all rows of each are read.
const NODES_PER_PAGE: usize = 256;

impl Sealing {
    /// The key that seals what is written now.
    pub(super) fn sealing_key(&self) -> KeyId {
        KeyId(self.sealing.load(Ordering::Acquire))
    }

    /// Goes over to the newest key, after it was put into the share's row. Called before blocks are made.
    ///
    /// # Errors
    /// Those of the metadata store: then nothing may be sealed yet.
    pub(in crate::volume) async fn adopt_key(&self) -> FsResult<()> {
        let newest = self.sealer.key_id();
        if newest == self.sealing_key() {
            return Ok(());
        }
        if !newest.is_none() {
            self.note_keys(&BTreeSet::from([newest]), false)
                .await
                .map_err(|error| self.share.metadata_failed(&error))?;
        }
        self.sealing.store(newest.0, Ordering::Release);
        Ok(())
    }

    /// Puts keys into the share's row. `are_all`: before this it was not known which keys are in use, and now it is.
    async fn note_keys(&self, keys: &BTreeSet<KeyId>, are_all: bool) -> Result<(), MetadataError> {
        let note = |record: &mut ShareRecord| {
            record.keys.in_use.extend(keys);
            record.keys.are_all |= are_all;
        };
        self.row.change(note).await
    }

    /// Says which keys are missing that seal something of this share.
    pub(in crate::volume) fn report_missing_keys<'a>(&self, keys: impl IntoIterator<Item = &'a KeyId>) {
        for key in keys {
            if let Err(error) = self.sealer.demand(*key) {
                tracing::error!(
                    share = %self.share.name(), %key, %error,
                    "content of this share is sealed with a key that is not there: it can't be read until the key is put \
                     back, which needs no restart; nothing of it is lost, and no other key opens it"
                );
            }
        }
    }

    /// Finds out which keys are in use, in a share whose row does not say: it was written before rows said it.
    pub(in crate::volume) async fn find_keys(&self) -> Result<(), MetadataError> {
        let mut found = BTreeSet::new();
        let mut after = NodeId(0);
        loop {
            let page = nodes_after(&*self.metadata, after, NODES_PER_PAGE).await?;
            let Some(next) = page.next() else { break };
            after = next;
            for node in page.nodes.iter().filter(|node| node.kind.has_content() && node.allocated > 0) {
                match self.keys_of(node.id, &mut found).await {
                    Ok(()) => {}
                    // One file's damage; `dittofs check` reports it.
                    Err(MetadataError::Corrupt(_)) => {}
                    Err(error) => return Err(error),
                }
                if self.share.is_closing() {
                    return Ok(());
                }
            }
            breathe().await;
        }
        self.note_keys(&found, true).await?;
        self.report_missing_keys(&found);
        Ok(())
    }

    async fn keys_of(&self, node: NodeId, found: &mut BTreeSet<KeyId>) -> Result<(), MetadataError> {
        let mut first_page = 0;
        loop {
            let query = Query { map: Some(map_from(node, first_page, self.share.scale())), ..Query::default() };
            let map = self.metadata.view(&query).await?.map;
            for (_, row) in &map.rows {
                let MapRow::Page { extents, .. } = row else { continue };
                found.extend(extents.iter().filter_map(|extent| match extent {
                    Extent::Stored { from, .. } if !from.block.key_id.is_none() => Some(from.block.key_id),
                    _ => None,
                }));
            }
            match map.rows.last() {
                Some((page, row)) if !map.complete => first_page = page.saturating_add(pages_in(row)),
                _ => return Ok(()),
            }
            breathe().await;
        }
    }
}
