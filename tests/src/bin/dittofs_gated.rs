//! The program with one more type of content store: `gated`, which a suite holds up, makes fail and makes silent by files
//! in a folder. Also an example of a program that embeds the server with a store of its own.

use std::{ops::Range, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use clap::Parser;
use dittofs::{Program, config::StoreKind};
use dittofs_domain::{ObjectId, ShareId};
use dittofs_memory::MemoryContentStore;
use dittofs_ports::{ContentError, ContentStore, Survives};
use serde::Deserialize;

const POLL: Duration = Duration::from_millis(5);

/// While this file is there the store is not opened.
const CLOSED: &str = "closed";
/// While this file is there the store answers nothing.
const SILENT: &str = "silent";
/// While this file is there the store is unavailable.
const FAILING: &str = "failing";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GatedOptions {
    gate: PathBuf,
}

struct Gated {
    gate: PathBuf,
    inner: MemoryContentStore,
}

impl Gated {
    async fn open(GatedOptions { gate }: GatedOptions) -> Arc<dyn ContentStore> {
        let gated = Gated { gate, inner: MemoryContentStore::new() };
        gated.until_gone(CLOSED).await;
        Arc::new(gated)
    }

    async fn until_gone(&self, file: &str) {
        while self.gate.join(file).exists() {
            tokio::time::sleep(POLL).await;
        }
    }

    async fn pass(&self) -> Result<(), ContentError> {
        self.until_gone(SILENT).await;
        if self.gate.join(FAILING).exists() {
            return Err(ContentError::Unavailable("the gate is failing".into()));
        }
        Ok(())
    }
}

#[async_trait]
impl ContentStore for Gated {
    dittofs_ports::forward!(ContentStore of inner: survives, owner, claim, shares, request_max, capacity, discard);

    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.pass().await?;
        self.inner.put(share, object, parts).await
    }

    async fn put_to_free(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.pass().await?;
        self.inner.put_to_free(share, object, parts).await
    }

    async fn get(&self, share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
        self.pass().await?;
        self.inner.get(share, object, range).await
    }

    async fn delete(&self, share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        self.pass().await?;
        self.inner.delete(share, object).await
    }

    async fn list(
        &self,
        share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError> {
        self.pass().await?;
        self.inner.list(share, after, max).await
    }
}

fn main() -> ExitCode {
    let gated = StoreKind::new(Survives::Nothing, async |options: GatedOptions| Ok(Gated::open(options).await));
    let mut program = Program::built_in();
    program.stores = program.stores.with_content("gated", gated);
    program.run(dittofs::Cli::parse())
}
