//! The users, beside the shares: in a table of their own, by their folded names.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::users::{MachineId, UserName};
use dittofs_ports::{MetadataError, Revision, StoredUser, UserStore, UserStoreError};

use crate::{
    codec,
    fault::Fault,
    keys,
    store::{Connection, writer_gone},
    tables::{Kind, Readable, Tables},
    writer::{Request, UserRequest},
};

/// The users in the database.
pub(crate) struct RedbUsers(Arc<Connection>);

impl RedbUsers {
    pub(crate) fn new(store: Arc<Connection>) -> RedbUsers {
        RedbUsers(store)
    }
}

impl<T: Readable> Tables<T> {
    pub(crate) fn machine(&self) -> Result<Option<MachineId>, Fault> {
        self.read(Kind::User, keys::MACHINE, codec::decode_machine)
    }

    pub(crate) fn user(&self, name: &UserName) -> Result<Option<StoredUser>, Fault> {
        self.read(Kind::User, &keys::user(name.folded()), codec::decode_user)
    }

    fn users(&self, after: Option<&UserName>, max: usize) -> Result<Vec<StoredUser>, Fault> {
        let (mut first, last) = keys::users();
        if let Some(after) = after {
            first = keys::user(after.folded());
            first.push(0);
        }
        let mut found = Vec::new();
        if max > 0 {
            self.scan(Kind::User, first..=last, |_, value| {
                found.push(codec::decode_user(value)?);
                Ok(found.len() < max)
            })?;
        }
        Ok(found)
    }
}

fn gone() -> UserStoreError {
    UserStoreError::Unavailable("the database's writer has gone".into())
}

#[async_trait]
impl UserStore for RedbUsers {
    async fn machine(&self, proposed: MachineId) -> Result<MachineId, MetadataError> {
        match self.0.read(|tables| tables.machine())? {
            Some(machine) => Ok(machine),
            None => {
                let ask = |answer| Request::User(UserRequest::Machine { proposed, answer });
                self.0.ask(ask, writer_gone).await
            }
        }
    }

    async fn users(&self, after: Option<UserName>, max: usize) -> Result<Vec<StoredUser>, MetadataError> {
        self.0.read(|tables| tables.users(after.as_ref(), max))
    }

    async fn user(&self, name: &UserName) -> Result<Option<StoredUser>, MetadataError> {
        self.0.read(|tables| tables.user(name))
    }

    async fn put(&self, user: &StoredUser, over: Option<Revision>) -> Result<(), UserStoreError> {
        let user = Box::new(user.clone());
        self.0.ask(|answer| Request::User(UserRequest::Put { user, over, answer }), gone).await
    }

    async fn remove(&self, name: &UserName, revision: Revision) -> Result<(), UserStoreError> {
        let name = name.clone();
        self.0.ask(|answer| Request::User(UserRequest::Remove { name, revision, answer }), gone).await
    }
}
