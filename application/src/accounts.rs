//! The users of the server, over the store that keeps them and the sealer of their secrets.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::users::{MachineId, Principal, User, UserName, are_ids};
use dittofs_ports::{
    Account, AccountError, AccountService, MetadataError, NewUser, Randomness, Revision, SecretError, SecretSealer,
    StoredUser, UserChange, UserInfo, UserStore, UserStoreError,
};
use tokio::sync::OnceCell;

/// The most users of a server. All of them go into one answer to an administrator.
pub const USERS_MAX: usize = 10_000;
/// Users of one call of the store.
const PAGE: usize = 1_000;
/// How often a change is decided anew after somebody else's. Administrators are few.
const ATTEMPTS: usize = 8;

/// The users.
pub struct Accounts {
    store: Arc<dyn UserStore>,
    sealer: Arc<dyn SecretSealer>,
    randomness: Arc<dyn Randomness>,
    /// It never changes once it is there.
    machine: OnceCell<MachineId>,
}

impl Accounts {
    /// The users of a store, with their secrets sealed so.
    pub fn new(store: Arc<dyn UserStore>, sealer: Arc<dyn SecretSealer>, randomness: Arc<dyn Randomness>) -> Accounts {
        Accounts { store, sealer, randomness, machine: OnceCell::new() }
    }

    async fn all(&self) -> Result<Vec<StoredUser>, MetadataError> {
        let mut all: Vec<StoredUser> = Vec::new();
        loop {
            let after = all.last().map(|last| last.user.name.clone());
            let page = self.store.users(after, PAGE).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// A nonce that no other secret has had: its 96 bits are random.
    fn nonce(&self) -> [u8; 12] {
        let bits = self.randomness.bits128().to_le_bytes();
        let mut nonce = [0; 12];
        nonce.iter_mut().zip(bits).for_each(|(to, from)| *to = from);
        nonce
    }

    fn revision(&self) -> Revision {
        Revision(self.randomness.bits64())
    }

    fn changed(&self, user: &User, change: &UserChange) -> Result<User, AccountError> {
        let UserChange { nt_hash, gid, groups, disabled } = change;
        let secret = match nt_hash {
            Some(hash) => self.sealer.seal(&user.name, self.nonce(), hash)?,
            None => user.secret.clone(),
        };
        Ok(User {
            name: user.name.clone(),
            uid: user.uid,
            gid: gid.unwrap_or(user.gid),
            groups: groups.clone().unwrap_or_else(|| user.groups.clone()),
            disabled: disabled.unwrap_or(user.disabled),
            secret,
        })
    }

    async fn stored(&self, name: &UserName) -> Result<StoredUser, AccountError> {
        self.store.user(name).await?.ok_or(AccountError::Unknown)
    }
}

fn refused(error: UserStoreError) -> AccountError {
    match error {
        UserStoreError::Conflict => AccountError::Conflict,
        UserStoreError::Full => AccountError::Full,
        UserStoreError::Unavailable(source) => MetadataError::Unavailable(source).into(),
        UserStoreError::Corrupt(source) => MetadataError::Corrupt(source).into(),
    }
}

#[async_trait]
impl AccountService for Accounts {
    async fn find(&self, name: &UserName) -> Result<Option<Account>, AccountError> {
        let Some(StoredUser { user, .. }) = self.store.user(name).await? else { return Ok(None) };
        let sid = self.machine().await?.sid_of(Principal::User(user.uid));
        let nt_hash = self.sealer.open(&user.name, &user.secret)?;
        let credentials = user.credentials();
        Ok(Some(Account { name: user.name, credentials, sid, nt_hash, disabled: user.disabled }))
    }

    async fn machine(&self) -> Result<MachineId, AccountError> {
        let machine = self.machine.get_or_try_init(async || {
            let proposed = MachineId::of_bits(self.randomness.bits128());
            self.store.machine(proposed).await
        });
        Ok(*machine.await?)
    }

    async fn list(&self) -> Result<Vec<UserInfo>, AccountError> {
        let machine = self.machine().await?;
        let info = |StoredUser { user, .. }: StoredUser| {
            let sid = machine.sid_of(Principal::User(user.uid));
            let User { name, uid, gid, groups, disabled, .. } = user;
            UserInfo { name, uid, gid, groups, disabled, sid }
        };
        Ok(self.all().await?.into_iter().map(info).collect())
    }

    async fn add(&self, user: NewUser) -> Result<(), AccountError> {
        let NewUser { name, uid, gid, groups, nt_hash } = user;
        if !are_ids(uid, gid, &groups) {
            return Err(AccountError::Ids);
        }
        let all = self.all().await?;
        if all.iter().any(|stored| stored.user.name == name) {
            return Err(AccountError::Taken);
        }
        if all.len() >= USERS_MAX {
            return Err(AccountError::TooMany(all.len()));
        }
        let secret = match self.sealer.seal(&name, self.nonce(), &nt_hash) {
            // Where there are users, there was a key: another one would not open their secrets.
            Err(SecretError::NoKey { .. }) if all.is_empty() => {
                self.sealer.make_key()?;
                self.sealer.seal(&name, self.nonce(), &nt_hash)?
            }
            sealed => sealed?,
        };
        let user = User { name, uid, gid, groups, disabled: false, secret };
        let added = self.store.put(&StoredUser { user, revision: self.revision() }, None).await;
        added.map_err(|error| match error {
            UserStoreError::Conflict => AccountError::Taken,
            error => refused(error),
        })
    }

    async fn change(&self, name: &UserName, change: UserChange) -> Result<(), AccountError> {
        for _ in 0..ATTEMPTS {
            let StoredUser { user, revision } = self.stored(name).await?;
            let user = self.changed(&user, &change)?;
            if !are_ids(user.uid, user.gid, &user.groups) {
                return Err(AccountError::Ids);
            }
            match self.store.put(&StoredUser { user, revision: self.revision() }, Some(revision)).await {
                Err(UserStoreError::Conflict) => {}
                put => return put.map_err(refused),
            }
        }
        Err(AccountError::Conflict)
    }

    async fn remove(&self, name: &UserName) -> Result<(), AccountError> {
        for _ in 0..ATTEMPTS {
            let StoredUser { revision, .. } = self.stored(name).await?;
            match self.store.remove(name, revision).await {
                Err(UserStoreError::Conflict) => {}
                removed => return removed.map_err(refused),
            }
        }
        Err(AccountError::Conflict)
    }
}

#[cfg(test)]
mod tests;
