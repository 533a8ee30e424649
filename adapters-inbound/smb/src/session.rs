//! A user that has proved who it is: its keys, its shares and its open files (MS-SMB2, 3.3.1.8).

mod channels;
mod keys;
mod table;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dittofs_domain::{ClientId, Credentials, users::UserName};
use dittofs_smb_wire::{NtStatus, identifiers::FileId};
use parking_lot::{Mutex, RwLock};
use tokio::time::Instant;

use crate::{
    client::Client,
    holdings::{Held, Holding},
    negotiation::Terms,
    open::Open,
    tree::Tree,
};
pub(crate) use channels::Channels;
pub(crate) use keys::Keys;
use table::Table;

/// Who a session is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: UserName,
    pub(crate) credentials: Credentials,
}

/// A session.
pub(crate) struct Session {
    pub(crate) id: u64,
    /// Who it is of, as was last looked up.
    user: RwLock<Arc<User>>,
    /// When its user proved last who it is.
    proved: Mutex<Instant>,
    pub(crate) keys: Keys,
    /// The terms of the connection that it was set up on. Others must have the same.
    pub(crate) terms: Arc<Terms>,
    /// The machine that it is of.
    pub(crate) client: Arc<Client>,
    /// The connections that it has.
    pub(crate) channels: Channels,
    /// What its user has open, here and elsewhere.
    pub(crate) holding: Arc<Holding>,
    trees: Mutex<Table<Tree>>,
    opens: Mutex<Table<Open>>,
    /// Whether it has ended. Its connection may not have heard of that: another one can end it.
    is_over: AtomicBool,
    /// Whether its client has proved last that it is nobody. What is open stays so, and nothing else is opened.
    pub(crate) is_anonymous: AtomicBool,
}

impl Session {
    pub(crate) fn new(
        id: u64,
        (user, client, holding): (User, Arc<Client>, Arc<Holding>),
        (keys, terms): (Keys, Arc<Terms>),
        (trees_max, opens_max): (usize, usize),
    ) -> Session {
        // Tree ids have 32 bits.
        let trees = Mutex::new(Table::new(trees_max, 1));
        Session {
            id,
            user: RwLock::new(Arc::new(user)),
            proved: Mutex::new(Instant::now()),
            keys,
            terms,
            client,
            channels: Channels::default(),
            holding,
            trees,
            opens: Mutex::new(Table::new(opens_max, random_start())),
            is_over: AtomicBool::new(false),
            is_anonymous: AtomicBool::new(false),
        }
    }

    /// Ends it: nobody finds it any more. Returns whether it had not ended already.
    pub(crate) fn end(&self) -> bool {
        !self.is_over.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Its user has proved once more who it is.
    pub(crate) fn prove(&self) {
        *self.proved.lock() = Instant::now();
    }

    /// Whether its user has to prove who it is again, where a logon counts for so long (3.3.1.8, `ExpirationTime`).
    pub(crate) fn has_expired(&self, logon: Option<Duration>) -> bool {
        logon.is_some_and(|logon| self.proved.lock().elapsed() >= logon)
    }

    /// Who it is of.
    pub(crate) fn user(&self) -> Arc<User> {
        Arc::clone(&self.user.read())
    }

    /// Takes the same user with other groups.
    pub(crate) fn set_user(&self, user: User) {
        *self.user.write() = Arc::new(user);
    }

    /// The client, as locks and opens know it.
    pub(crate) fn client(&self) -> ClientId {
        self.client.id()
    }

    /// Takes room for something that is open, as its user may.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub(crate) fn hold(&self, kib: usize) -> Result<Held, NtStatus> {
        self.holding.take(kib)
    }

    /// Adds a share.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES` if there are too many.
    pub(crate) fn add_tree(&self, make: impl FnOnce(u64) -> Tree) -> Result<Arc<Tree>, NtStatus> {
        self.trees.lock().add(make).ok_or(NtStatus::INSUFFICIENT_RESOURCES)
    }

    pub(crate) fn tree(&self, id: u32) -> Option<Arc<Tree>> {
        self.trees.lock().get(u64::from(id))
    }

    pub(crate) fn trees(&self) -> Vec<Arc<Tree>> {
        self.trees.lock().all()
    }

    pub(crate) fn remove_tree(&self, id: u32) -> Option<Arc<Tree>> {
        self.trees.lock().remove(u64::from(id))
    }

    /// Adds an open file.
    ///
    /// # Errors
    /// `TOO_MANY_OPENED_FILES`; `USER_SESSION_DELETED` once it has ended, since nobody would close it.
    pub(crate) fn add_open(&self, make: impl FnOnce(u64) -> Open) -> Result<Arc<Open>, NtStatus> {
        let mut opens = self.opens.lock();
        if self.is_over() {
            return Err(NtStatus::USER_SESSION_DELETED);
        }
        opens.add(make).ok_or(NtStatus::TOO_MANY_OPENED_FILES)
    }

    /// Whether there is room for one more.
    pub(crate) fn has_room_for_open(&self) -> bool {
        self.opens.lock().has_room()
    }

    /// An open of a tree.
    ///
    /// # Errors
    /// `FILE_CLOSED`.
    pub(crate) fn open(&self, tree: u32, id: FileId) -> Result<Arc<Open>, NtStatus> {
        let found = self.opens.lock().get(id.volatile);
        found.filter(|open| open.id == id && open.tree.id == tree).ok_or(NtStatus::FILE_CLOSED)
    }

    /// An open of any tree, by the volatile part of its id.
    pub(crate) fn open_anywhere(&self, volatile: u64) -> Option<Arc<Open>> {
        self.opens.lock().get(volatile)
    }

    pub(crate) fn remove_open(&self, id: FileId) -> Option<Arc<Open>> {
        self.opens.lock().remove(id.volatile)
    }

    /// Whether anything is open.
    pub(crate) fn has_opens(&self) -> bool {
        !self.opens.lock().is_empty()
    }

    /// Takes all opens of a tree, or of all trees.
    pub(crate) fn take_opens(&self, tree: Option<u32>) -> Vec<Arc<Open>> {
        self.opens.lock().take_if(|open| tree.is_none_or(|tree| open.tree.id == tree))
    }
}

/// Where ids of opens begin, so that those of an earlier session are not taken for ones of this.
fn random_start() -> u64 {
    u64::from(getrandom::u32().unwrap_or(1)) << 16
}

#[cfg(test)]
pub(crate) mod tests;
