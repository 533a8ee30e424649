//! The suite of content stores, on every content store.

use std::sync::Arc;

use dittofs_memory::MemoryContentStore;
use dittofs_ports::ContentStore;
use dittofs_tests::{content_capacity_conformance, content_conformance, stores::LoggedContentStore};

content_conformance!(memory, async || Arc::new(MemoryContentStore::new()) as Arc<dyn ContentStore>);
content_conformance!(logged, async || Arc::new(LoggedContentStore::new()) as Arc<dyn ContentStore>);

content_capacity_conformance!(bounded_memory, async |bytes: u64| Arc::new(MemoryContentStore::with_capacity(bytes))
    as Arc<dyn ContentStore>);
