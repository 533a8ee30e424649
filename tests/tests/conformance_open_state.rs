//! The suite of states of opens, on every store of them.

use std::sync::Arc;

use dittofs_memory::MemoryOpenState;
use dittofs_ports::OpenState;
use dittofs_tests::{open_state_capacity_conformance, open_state_conformance};

open_state_conformance!(memory, async || Arc::new(MemoryOpenState::new()) as Arc<dyn OpenState>);

open_state_capacity_conformance!(bounded_memory, async |nodes: usize| Arc::new(MemoryOpenState::with_capacity(nodes))
    as Arc<dyn OpenState>);
