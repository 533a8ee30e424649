//! The suite of metadata stores, on every metadata store.

use std::sync::Arc;

use dittofs_domain::plan::OperationsKept;
use dittofs_memory::MemoryMetadataStore;
use dittofs_ports::MetadataStore;
use dittofs_tests::{
    leasing_conformance, metadata_conformance, remembering_conformance, sole_conformance, stores::LeasedMetadataStore,
};

metadata_conformance!(memory, async || Arc::new(MemoryMetadataStore::new()) as Arc<dyn MetadataStore>);

remembering_conformance!(memory_remembers, async |kept: OperationsKept| {
    Arc::new(MemoryMetadataStore::remembering(kept)) as Arc<dyn MetadataStore>
});

sole_conformance!(memory_alone, async || Arc::new(MemoryMetadataStore::new()) as Arc<dyn MetadataStore>);

metadata_conformance!(leased, async || Arc::new(LeasedMetadataStore::new()) as Arc<dyn MetadataStore>);
leasing_conformance!(leased_instances, async || Arc::new(LeasedMetadataStore::new()) as Arc<dyn MetadataStore>);
