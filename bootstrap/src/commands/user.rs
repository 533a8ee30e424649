//! Manages users: through the running server, or in the store where none runs.

mod password;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use dittofs_admin::{Client, ClientError, HashDigits, UserRequest, UserView, UsersView};
use dittofs_application::Accounts;
use dittofs_domain::users::{NameFault, NtHash, UserName};
use dittofs_frame_sealer::nt_hash;
use dittofs_ports::{AccountError, AccountService, MetadataStore, NewUser, Survives, UserChange};

use super::stored::{StoredError, StoredShares};
use super::table;
use crate::cli::{ConfigFile, UserCommand};
use crate::config::{Config, StoreKinds, control_socket};
use crate::serve::{self, AccountsError, ServeError};
use password::PasswordFault;

/// Why a command on users failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum UserFailure {
    #[error("`{}` is a name that {fault}", name.escape_debug())]
    Name { name: String, fault: NameFault },
    #[error(transparent)]
    Password(#[from] PasswordFault),
    #[error("user `{name}`: {source}")]
    Account { name: String, source: AccountError },
    #[error("the users can't be read: {0}")]
    Read(#[source] AccountError),
    #[error(
        "the metadata store `{0}`, which keeps the users, is in memory, and no server runs: start the server first, or \
         name a persistent store by the key system_store"
    )]
    InMemory(String),
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    #[error(transparent)]
    Stored(#[from] StoredError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl UserFailure {
    /// Whether the caller's words are at fault.
    pub(super) fn is_of_words(&self) -> bool {
        matches!(self, UserFailure::Name { .. } | UserFailure::Password(PasswordFault::Unfit(_)))
    }
}

/// A command whose words have been checked, so that nobody types a password in vain.
pub(super) struct Asked {
    what: What,
    source: ConfigFile,
}

enum What {
    List,
    Add { name: UserName, uid: u32, gid: u32, groups: Vec<u32> },
    Change { name: UserName, change: UserChange },
    Passwd { name: UserName },
    Remove { name: UserName },
}

impl Asked {
    /// Checks the words of a command.
    pub(super) fn of(command: UserCommand) -> Result<Asked, UserFailure> {
        let checked = |name: String| UserName::new(&name).map_err(|fault| UserFailure::Name { name, fault });
        let (what, source) = match command {
            UserCommand::List(source) => (What::List, source),
            UserCommand::Add { name, uid, gid, group, source } => {
                (What::Add { name: checked(name)?, uid, gid, groups: group }, source)
            }
            UserCommand::Change { name, gid, group, no_groups, disable, enable, source } => {
                let groups = (no_groups || !group.is_empty()).then_some(group);
                let disabled = (disable || enable).then_some(disable);
                let change = UserChange { nt_hash: None, gid, groups, disabled };
                (What::Change { name: checked(name)?, change }, source)
            }
            UserCommand::Passwd { name, source } => (What::Passwd { name: checked(name)? }, source),
            UserCommand::Remove { name, source } => (What::Remove { name: checked(name)? }, source),
        };
        Ok(Asked { what, source })
    }

    /// Where the configuration comes from.
    pub(super) fn source(&self) -> &ConfigFile {
        &self.source
    }
}

/// Does what was asked.
pub(super) fn run(asked: Asked, config: &Config, kinds: &StoreKinds, out: &mut dyn Write) -> Result<(), UserFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match asked.what {
        What::List => {
            let users = runtime.block_on(list(config, kinds))?;
            Ok(print(&users.users, out)?)
        }
        What::Add { name, uid, gid, groups } => {
            let nt_hash = asked_for(&name)?;
            let new = NewUser { name: name.clone(), uid, gid, groups, nt_hash };
            runtime.block_on(change(Change::Add(new), config, kinds))?;
            Ok(writeln!(out, "user {name} is added: uid {uid}, gid {gid}")?)
        }
        What::Change { name, change: asked } => {
            runtime.block_on(change(Change::Alter(name.clone(), asked), config, kinds))?;
            Ok(writeln!(out, "user {name} is changed; it holds from its next logon on")?)
        }
        What::Passwd { name } => {
            let nt_hash = Some(asked_for(&name)?);
            let asked = UserChange { nt_hash, ..UserChange::default() };
            runtime.block_on(change(Change::Alter(name.clone(), asked), config, kinds))?;
            Ok(writeln!(out, "user {name} has a new password")?)
        }
        What::Remove { name } => {
            runtime.block_on(change(Change::Remove(name.clone()), config, kinds))?;
            Ok(writeln!(out, "user {name} is removed; its files stay")?)
        }
    }
}

/// The password that somebody types, as its hash: nothing else of it is kept.
fn asked_for(name: &UserName) -> Result<NtHash, UserFailure> {
    Ok(nt_hash(&password::ask(name)?))
}

enum Change {
    Add(NewUser),
    Alter(UserName, UserChange),
    Remove(UserName),
}

/// The running server, if one runs.
async fn running(config: &Config) -> Result<Option<(Client, UsersView)>, UserFailure> {
    let Some(data) = &config.data else { return Ok(None) };
    let client = Client::new(&control_socket(data));
    match client.users().await {
        Ok(users) => Ok(Some((client, users))),
        Err(ClientError::NotRunning(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn list(config: &Config, kinds: &StoreKinds) -> Result<UsersView, UserFailure> {
    if let Some((_, users)) = running(config).await? {
        return Ok(users);
    }
    match Stored::open(config, kinds, false).await? {
        Some(stored) => {
            let users = stored.accounts.list().await.map_err(UserFailure::Read)?;
            Ok(UsersView { users: users.into_iter().map(Into::into).collect() })
        }
        None => Ok(UsersView { users: Vec::new() }),
    }
}

async fn change(change: Change, config: &Config, kinds: &StoreKinds) -> Result<(), UserFailure> {
    if let Some((client, _)) = running(config).await? {
        return Ok(ask_server(&client, change).await?);
    }
    let is_new = matches!(change, Change::Add(_));
    let name = match &change {
        Change::Add(new) => new.name.to_string(),
        Change::Alter(name, _) | Change::Remove(name) => name.to_string(),
    };
    let failed = |source| UserFailure::Account { name, source };
    let Some(Stored { accounts, _stores }) = Stored::open(config, kinds, is_new).await? else {
        return Err(failed(AccountError::Unknown));
    };
    let changed = match change {
        Change::Add(new) => accounts.add(new).await,
        Change::Alter(name, change) => accounts.change(&name, change).await,
        Change::Remove(name) => accounts.remove(&name).await,
    };
    changed.map_err(failed)
}

async fn ask_server(client: &Client, change: Change) -> Result<(), ClientError> {
    let request = match change {
        Change::Add(NewUser { name, uid, gid, groups, nt_hash }) => {
            UserRequest::Add { name: name.to_string(), uid, gid, groups, nt_hash: HashDigits(nt_hash) }
        }
        Change::Alter(name, UserChange { nt_hash, gid, groups, disabled }) => {
            let nt_hash = nt_hash.map(HashDigits);
            UserRequest::Change { name: name.to_string(), nt_hash, gid, groups, disabled }
        }
        Change::Remove(name) => return client.remove_user(name.as_str()).await,
    };
    client.change_user(&request).await
}

/// The users of a server that does not run.
struct Stored {
    accounts: Accounts,
    /// Open, and locked, for as long as the users are used.
    _stores: StoredShares,
}

impl Stored {
    /// Opens the stores; makes the one of the users if it is `made`. None where that is not there.
    async fn open(config: &Config, kinds: &StoreKinds, made: bool) -> Result<Option<Stored>, UserFailure> {
        let store = &config.users.store;
        if config.metadata.get(store).is_some_and(|store| store.survives == Survives::Nothing) {
            return Err(UserFailure::InMemory(store.clone()));
        }
        let stores = StoredShares::open_with(config, kinds, made.then_some(store.as_str())).await?;
        let open: BTreeMap<String, Arc<dyn MetadataStore>> =
            stores.stores.iter().map(|stored| (stored.name.clone(), Arc::clone(&stored.store))).collect();
        let machine = serve::machine_of_this_process()?;
        match serve::open_accounts(config, &open, machine.randomness).await {
            // It will be made with the first user.
            Err(AccountsError::Missing(_)) => Ok(None),
            accounts => Ok(Some(Stored { accounts: accounts?, _stores: stores })),
        }
    }
}

fn print(users: &[UserView], out: &mut dyn Write) -> io::Result<()> {
    let mut rows = vec![["NAME", "UID", "GID", "GROUPS", "STATE", "SID"].map(str::to_owned)];
    rows.extend(users.iter().map(|UserView { name, uid, gid, groups, disabled, sid }| {
        let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
        let groups = if groups.is_empty() { "-".to_owned() } else { groups.join(",") };
        let state = if *disabled { "disabled" } else { "enabled" };
        [name.clone(), uid.to_string(), gid.to_string(), groups, state.to_owned(), sid.clone()]
    }));
    table::print(&rows, out)
}
