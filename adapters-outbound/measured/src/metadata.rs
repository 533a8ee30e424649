//! A metadata store, counted where it changes something.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use dittofs_domain::{
    OpId,
    plan::{Applied, Plan},
};
use dittofs_ports::{ApplyError, Counter, MetadataError, ShareMetadata, statistics::StoreCalls};

use crate::{ShareMeters, calls::Calls};

/// Counts of a metadata store's methods.
#[derive(Debug)]
pub(crate) struct MetadataCalls {
    apply: Calls<7>,
    allocate: Calls<3>,
}

impl Default for MetadataCalls {
    fn default() -> MetadataCalls {
        let results = ["ok", "conflict", "full", "malformed", "unavailable", "unknown", "corrupt"];
        MetadataCalls {
            apply: Calls::new("apply", results),
            allocate: Calls::new("allocate", ["ok", "unavailable", "corrupt"]),
        }
    }
}

impl MetadataCalls {
    pub(crate) fn read(&self) -> Vec<StoreCalls> {
        vec![self.apply.read(), self.allocate.read()]
    }
}

fn result_of_apply<T>(outcome: &Result<T, ApplyError>) -> usize {
    match outcome {
        Ok(_) => 0,
        Err(ApplyError::Conflict) => 1,
        Err(ApplyError::Full) => 2,
        Err(ApplyError::Malformed) => 3,
        Err(ApplyError::Unavailable(_)) => 4,
        Err(ApplyError::Unknown(_)) => 5,
        Err(ApplyError::Corrupt(_)) => 6,
    }
}

fn result_of<T>(outcome: &Result<T, MetadataError>) -> usize {
    match outcome {
        Ok(_) => 0,
        Err(MetadataError::Unavailable(_)) => 1,
        Err(MetadataError::Corrupt(_)) => 2,
    }
}

pub(crate) struct MeasuredMetadata {
    pub(crate) inner: Arc<dyn ShareMetadata>,
    pub(crate) meters: Arc<ShareMeters>,
}

#[async_trait]
impl ShareMetadata for MeasuredMetadata {
    dittofs_ports::forward!(
        ShareMetadata of inner:
        record, put_record, view, list, name_of, has_ended, unlinked, pending_truncations, objects, references, nodes, node_ids,
        references_after, xattr_bytes, statistics, snapshot
    );

    async fn apply(&self, plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        let call = self.inner.apply(plan, op);
        self.meters.metadata.apply.of(&*self.meters.clock, call, result_of_apply).await
    }

    async fn allocate(&self, counter: Counter, count: u64) -> Result<Range<u64>, MetadataError> {
        let call = self.inner.allocate(counter, count);
        self.meters.metadata.allocate.of(&*self.meters.clock, call, result_of).await
    }
}
