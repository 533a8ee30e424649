//! Replay: what the journal held when the share was last used is laid over the stored files again.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use dittofs_domain::{ChangeId, Node, NodeId, plan::Query};
use dittofs_ports::{Appended, MetadataError, Record};

use crate::volume::{pending::Replayed, write_back::WriteBack};

/// Nodes that are looked up at a time. A turn of the store, with little memory.
const NODES_PER_VIEW: usize = 256;

/// The records that a share found in its journal when it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Records that hold bytes which are not flushed.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records whose bytes had been flushed or removed before.
    pub published: u64,
    /// Records of files that are gone.
    pub dropped: u64,
}

impl WriteBack {
    /// Puts records, in the order of their numbers, into the index of their files. Doing it twice is doing it once.
    pub(in crate::volume) async fn replay(&self, records: Vec<(Appended, Record)>) -> Result<Recovered, MetadataError> {
        let mut recovered = Recovered::default();
        let mut nodes: HashMap<NodeId, Option<Arc<Node>>> = HashMap::new();
        let mut damaged = HashSet::new();
        let (records, mut done) = without_copied(records);
        for some in records.chunks(NODES_PER_VIEW) {
            self.look_up(some, &mut nodes, &mut damaged).await?;
            // One for many: it only has to be above all that were ever shown.
            let stamp = self.numbers.stamp().await.map_err(|_| MetadataError::Unavailable("no stamps".into()))?;
            for (appended, record) in some {
                if damaged.contains(&record.node) {
                    // Where its bytes belong is not known: they are kept for when it is.
                    self.aside.keep(*appended, record);
                    continue;
                }
                let node = nodes.get(&record.node).and_then(Option::as_ref);
                if !self.replay_one(node, *appended, record, stamp, &mut recovered) {
                    done.push(*appended);
                }
            }
        }
        self.release(done).await;
        for node in damaged {
            tracing::error!(
                share = %self.share.name(), %node,
                "what was written to a file is in the journal, but the file's own row is damaged: it is set aside, and \
                 everything else goes on"
            );
        }
        if !records.is_empty() {
            tracing::info!(
                share = %self.share.name(),
                records = recovered.records,
                bytes = recovered.bytes,
                published = recovered.published,
                dropped = recovered.dropped,
                "replayed the journal"
            );
        }
        Ok(recovered)
    }

    /// Answers whether the record still holds anything.
    fn replay_one(
        &self,
        node: Option<&Arc<Node>>,
        appended: Appended,
        record: &Record,
        stamp: ChangeId,
        recovered: &mut Recovered,
    ) -> bool {
        let Some(node) = node.filter(|node| node.kind.has_content()) else {
            recovered.dropped += 1;
            return false;
        };
        let end = record.offset.saturating_add(record.data.len() as u64);
        let left = node.replay_exclusions.left(appended.sequence, record.offset..end);
        if appended.sequence <= node.content_seq || left.is_empty() {
            recovered.published += 1;
            return false;
        }
        recovered.records += 1;
        recovered.bytes += record.data.len() as u64;
        let credits = self.admission.admit_recovered(record.data.len());
        let at = self.share.monotonic();
        let length = record.data.len() as u32;
        let replayed =
            Replayed { offset: record.offset, length, left: &left, appended, credits, time: record.time, stamp, at };
        self.nodes.pending().replay(node, replayed);
        true
    }

    async fn look_up(
        &self,
        records: &[(Appended, Record)],
        nodes: &mut HashMap<NodeId, Option<Arc<Node>>>,
        damaged: &mut HashSet<NodeId>,
    ) -> Result<(), MetadataError> {
        let mut query = Query::default();
        for (_, record) in records {
            nodes.entry(record.node).or_insert_with(|| {
                query.nodes.push(record.node);
                None
            });
        }
        if !query.nodes.is_empty() {
            match self.metadata.view(&query).await {
                Ok(view) => nodes.extend(view.nodes.into_iter().map(|node| (node.id, Some(node)))),
                // One of them: the others are whole.
                Err(MetadataError::Corrupt(_)) => {
                    for node in &query.nodes {
                        match self.metadata.view(&Query::node(*node)).await {
                            Ok(view) => nodes.extend(view.nodes.into_iter().map(|node| (node.id, Some(node)))),
                            Err(MetadataError::Corrupt(_)) => drop(damaged.insert(*node)),
                            Err(error) => return Err(error),
                        }
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Of records and copies of them, which follow each other, only the last copies; and those that these stand for.
fn without_copied(records: Vec<(Appended, Record)>) -> (Vec<(Appended, Record)>, Vec<Appended>) {
    let (mut kept, mut copied): (Vec<(Appended, Record)>, _) = (Vec::with_capacity(records.len()), Vec::new());
    for (appended, record) in records {
        let earlier = kept.pop_if(|(earlier, _)| earlier.sequence == appended.sequence);
        copied.extend(earlier.map(|(earlier, _)| earlier));
        kept.push((appended, record));
    }
    (kept, copied)
}
