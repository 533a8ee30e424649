//! The inbound ports: facades that find the volume and pass the call on.

mod admin;
mod block;
mod metadata;
mod open;
mod statistics;

use std::sync::Arc;

use crate::registry::Registry;

/// All services over the volumes of a registry.
#[derive(Clone, Debug)]
pub struct Services {
    registry: Arc<Registry>,
}

impl Services {
    /// Services over these volumes.
    pub fn new(registry: Arc<Registry>) -> Services {
        Services { registry }
    }
}
