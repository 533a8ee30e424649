//! The suite of metadata stores, on every metadata store.

use std::sync::Arc;

use dittofs_memory::MemoryMetadataStore;
use dittofs_ports::MetadataStore;
use dittofs_tests::metadata_conformance;

metadata_conformance!(memory, async || Arc::new(MemoryMetadataStore::new()) as Arc<dyn MetadataStore>);
