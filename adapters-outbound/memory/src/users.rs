//! The users: a map behind one lock.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dittofs_domain::users::{MachineId, UserName};
use dittofs_ports::{MetadataError, Revision, StoredUser, UserStore, UserStoreError};
use parking_lot::Mutex;

/// Users in memory.
#[derive(Default)]
pub(crate) struct MemoryUsers(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    machine: Option<MachineId>,
    users: BTreeMap<UserName, StoredUser>,
}

#[async_trait]
impl UserStore for MemoryUsers {
    async fn machine(&self, proposed: MachineId) -> Result<MachineId, MetadataError> {
        Ok(*self.0.lock().machine.get_or_insert(proposed))
    }

    async fn users(&self, after: Option<UserName>, max: usize) -> Result<Vec<StoredUser>, MetadataError> {
        let kept = self.0.lock();
        let later = kept.users.iter().filter(|(name, _)| after.as_ref().is_none_or(|after| *name > after));
        Ok(later.map(|(_, user)| user.clone()).take(max).collect())
    }

    async fn user(&self, name: &UserName) -> Result<Option<StoredUser>, MetadataError> {
        Ok(self.0.lock().users.get(name).cloned())
    }

    async fn put(&self, user: &StoredUser, over: Option<Revision>) -> Result<(), UserStoreError> {
        let mut kept = self.0.lock();
        let found = kept.users.get(&user.user.name).map(|found| found.revision);
        if found != over && found != Some(user.revision) {
            return Err(UserStoreError::Conflict);
        }
        // The name may be written otherwise now, and the map would keep the one that it has.
        kept.users.remove(&user.user.name);
        kept.users.insert(user.user.name.clone(), user.clone());
        Ok(())
    }

    async fn remove(&self, name: &UserName, revision: Revision) -> Result<(), UserStoreError> {
        let mut kept = self.0.lock();
        if kept.users.get(name).is_some_and(|found| found.revision != revision) {
            return Err(UserStoreError::Conflict);
        }
        kept.users.remove(name);
        Ok(())
    }
}
