//! Objects in memory.

use dittofs_ports::Survives;
use opendal::{Operator, services::Memory};

use super::OperatorStore;
use crate::{MemoryOptions, OpenError};

pub(crate) async fn memory(_: MemoryOptions) -> Result<OperatorStore, OpenError> {
    let operator = Operator::new(Memory::default()).map_err(|error| OpenError::Unavailable(Box::new(error)))?;
    OperatorStore::open(operator, Survives::Nothing, None).await
}
