//! The users. A change names the state that it leads to, so carrying it out twice is the same as once.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::users::{MachineId, SealedSecret, User, UserName};
use dittofs_ports::{MetadataError, Revision, StoredUser, UserStore, UserStoreError};
use sqlx::postgres::PgRow;

use crate::{
    connections::{Connections, Statement},
    fault::Fault,
    node::Columns,
    numbers::{count, signed, unsigned},
    statements,
};

/// The users in the database.
pub(crate) struct PostgresUsers(Arc<Connections>);

impl PostgresUsers {
    pub(crate) fn new(connections: Arc<Connections>) -> PostgresUsers {
        PostgresUsers(connections)
    }

    async fn stored_machine(&self) -> Result<Option<MachineId>, Fault> {
        let rows = self.0.read(&Statement::new(statements::MACHINE)).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let id: Vec<u8> = Columns::new(row, 0).take()?;
        let id = id.try_into().map_err(|_| Fault::damaged("the machine's id has another length than 12 bytes"))?;
        Ok(Some(MachineId::from_bytes(id)))
    }
}

fn key(name: &UserName) -> Vec<u8> {
    name.folded().as_bytes().to_vec()
}

fn read(row: &PgRow) -> Result<StoredUser, Fault> {
    let mut columns = Columns::new(row, 0);
    let revision = Revision(unsigned(columns.take()?));
    let (uid, gid): (i32, i32) = (columns.take()?, columns.take()?);
    let disabled = columns.take()?;
    let (name, groups, secret): (Vec<u8>, Vec<i32>, Vec<u8>) = (columns.take()?, columns.take()?, columns.take()?);
    let make = || {
        Some(User {
            name: UserName::new(std::str::from_utf8(&name).ok()?).ok()?,
            uid: uid.cast_unsigned(),
            gid: gid.cast_unsigned(),
            groups: groups.iter().map(|group| group.cast_unsigned()).collect(),
            disabled,
            secret: SealedSecret::new(&secret)?,
        })
    };
    let user = make().ok_or_else(|| Fault::damaged("the row of a user makes no sense"))?;
    Ok(StoredUser { user, revision })
}

fn not_changed(fault: Fault) -> UserStoreError {
    if matches!(fault, Fault::Full(_)) {
        return UserStoreError::Full;
    }
    match fault.into() {
        MetadataError::Unavailable(source) => UserStoreError::Unavailable(source),
        MetadataError::Corrupt(source) => UserStoreError::Corrupt(source),
    }
}

#[async_trait]
impl UserStore for PostgresUsers {
    async fn machine(&self, proposed: MachineId) -> Result<MachineId, MetadataError> {
        if let Some(machine) = self.stored_machine().await? {
            return Ok(machine);
        }
        self.0.write(Statement::new(statements::MAKE_MACHINE).with(proposed.to_bytes().to_vec())).await?;
        let machine = self.stored_machine().await?;
        machine.ok_or_else(|| MetadataError::Corrupt("the machine's id went away".into()))
    }

    async fn users(&self, after: Option<UserName>, max: usize) -> Result<Vec<StoredUser>, MetadataError> {
        // No folded name is empty.
        let after = after.map(|after| key(&after)).unwrap_or_default();
        let rows = self.0.read(&Statement::new(statements::USERS).with(after).with(count(max))).await?;
        Ok(rows.iter().map(read).collect::<Result<Vec<StoredUser>, Fault>>()?)
    }

    async fn user(&self, name: &UserName) -> Result<Option<StoredUser>, MetadataError> {
        let rows = self.0.read(&Statement::new(statements::USER).with(key(name))).await?;
        Ok(rows.first().map(read).transpose()?)
    }

    async fn put(&self, stored: &StoredUser, over: Option<Revision>) -> Result<(), UserStoreError> {
        let StoredUser { user, revision } = stored;
        let groups: Vec<i32> = user.groups.iter().map(|group| group.cast_signed()).collect();
        let text = if over.is_some() { statements::CHANGE_USER } else { statements::ADD_USER };
        let statement = Statement::new(text)
            .with(signed(revision.0))
            .with(user.uid.cast_signed())
            .with(user.gid.cast_signed())
            .with(user.disabled)
            .with(key(&user.name))
            .with(user.name.as_str().as_bytes().to_vec())
            .with(groups)
            .with(user.secret.bytes().to_vec());
        let statement = match over {
            Some(Revision(over)) => statement.with(signed(over)),
            None => statement,
        };
        let rows = self.0.write(statement).await.map_err(not_changed)?;
        if rows.is_empty() { Err(UserStoreError::Conflict) } else { Ok(()) }
    }

    async fn remove(&self, name: &UserName, revision: Revision) -> Result<(), UserStoreError> {
        let removal = Statement::new(statements::REMOVE_USER).with(key(name)).with(signed(revision.0));
        let left = self.0.write(removal).await.map_err(not_changed)?;
        if left.is_empty() { Ok(()) } else { Err(UserStoreError::Conflict) }
    }
}
