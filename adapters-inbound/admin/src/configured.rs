//! The parts of its configuration that a server shows.

use std::sync::Arc;

use async_trait::async_trait;

use crate::wire::{ReloadView, ShareFacts, UnnamedView};

/// A server with a configuration.
#[async_trait]
pub trait Configured: Send + Sync {
    /// Returns the configuration of the shares that are served, in the order of the configuration.
    fn facts(&self) -> Vec<ShareFacts>;

    /// Shares in the metadata stores that the configuration does not name.
    fn unnamed(&self) -> Vec<UnnamedView>;

    /// Reads the configuration again, and takes what can be taken at run time; to its end, also if whoever asked does
    /// not wait for it.
    ///
    /// # Errors
    /// Why it can't be read, for people. All stays as it is then.
    async fn reload(self: Arc<Self>) -> Result<ReloadView, String>;
}
