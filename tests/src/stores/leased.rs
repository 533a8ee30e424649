//! A metadata store that several instances could share, over one in memory: it keeps leases of nodes.
//!
//! It is no part of the program: it shows what leases take, and that the suite finds them kept.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use dittofs_domain::{
    NodeId, OpId, ShareId,
    plan::{Applied, Change, Expectation, KeptLease, Plan, Query, View},
};
use dittofs_memory::MemoryMetadataStore;
use dittofs_ports::{ApplyError, MetadataError, MetadataStore, ShareMetadata};

/// The store.
#[derive(Default)]
pub struct LeasedMetadataStore {
    inner: MemoryMetadataStore,
    shares: Mutex<BTreeMap<ShareId, Arc<Leases>>>,
}

/// The leases of a share. Held over a plan, so that what it expects is true when it is applied.
type Leases = tokio::sync::Mutex<BTreeMap<NodeId, KeptLease>>;

struct LeasedShare {
    inner: Arc<dyn ShareMetadata>,
    leases: Arc<Leases>,
}

impl LeasedMetadataStore {
    /// A store without shares.
    pub fn new() -> LeasedMetadataStore {
        LeasedMetadataStore::default()
    }
}

#[async_trait]
impl MetadataStore for LeasedMetadataStore {
    dittofs_ports::forward!(
        MetadataStore of inner:
        survives, shares, create_share, remove_share, restore_rows, restore_share, users
    );

    async fn share(&self, id: ShareId) -> Result<Option<Arc<dyn ShareMetadata>>, MetadataError> {
        let Some(inner) = self.inner.share(id).await? else { return Ok(None) };
        let mut shares = self.shares.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let leases = Arc::clone(shares.entry(id).or_default());
        Ok(Some(Arc::new(LeasedShare { inner, leases })))
    }
}

#[async_trait]
impl ShareMetadata for LeasedShare {
    dittofs_ports::forward!(
        ShareMetadata of inner:
        record, put_record, list, name_of, allocate, has_ended, unlinked, pending_truncations, objects, references, nodes, node_ids,
        references_after, xattr_bytes, statistics, snapshot
    );

    async fn view(&self, query: &Query) -> Result<View, MetadataError> {
        let leases = self.leases.lock().await;
        let mut view = self.inner.view(query).await?;
        let found = view.nodes.iter().map(|node| node.id);
        let found = found.chain(view.entries.iter().flatten().map(|entry| entry.node.id));
        view.leases = Some(found.map(|id| (id, leases.get(&id).copied().unwrap_or(KeptLease::NONE))).collect());
        Ok(view)
    }

    async fn apply(&self, mut plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        let mut leases = self.leases.lock().await;
        let lease_of = |node: &NodeId| leases.get(node).copied().unwrap_or(KeptLease::NONE);
        let is_stale = |expectation: &Expectation| match expectation {
            Expectation::LeaseIs { node, lease } => lease_of(node) != *lease,
            _ => false,
        };
        if plan.expectations.iter().any(is_stale) {
            return Err(ApplyError::Conflict);
        }
        plan.expectations.retain(|expectation| !matches!(expectation, Expectation::LeaseIs { .. }));
        let mut granted = Vec::new();
        plan.changes.retain(|change| match change {
            Change::GrantLease { node, holder } => {
                granted.push((*node, *holder));
                false
            }
            _ => true,
        });
        // A plan that makes a node may grant its lease before.
        let named = Query { nodes: granted.iter().map(|(node, _)| *node).collect(), ..Query::default() };
        let known = self.inner.view(&named).await.map_err(|error| ApplyError::Unavailable(error.into()))?;
        let is_made = |id: &NodeId| {
            plan.changes.iter().any(|change| matches!(change, Change::InsertNode(node) if node.id == *id))
        };
        if granted.iter().any(|(id, _)| known.node(*id).is_err() && !is_made(id)) {
            return Err(ApplyError::Malformed);
        }
        let applied = self.inner.apply(plan, op).await?;
        for (node, holder) in granted {
            let lease = leases.entry(node).or_insert(KeptLease::NONE);
            *lease = lease.granted_to(holder);
        }
        for gone in applied.nodes.iter().filter(|touched| touched.after.is_none()) {
            leases.remove(&gone.id);
        }
        Ok(applied)
    }
}
