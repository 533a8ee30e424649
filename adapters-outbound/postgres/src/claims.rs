//! Which shares are this server's.
//!
//! A session beside the others, the keeper's, has a lock for each share that is in use here. It ends with the server,
//! however that ends, and another one may have the share at once. While it lasts, nobody else gets the share.
//!
//! A session can end though the server lives: when the database starts again, or somebody ends it. So a claim has a
//! number besides, and whatever changes something names it. Whoever gets the lock takes the next number; what comes
//! under an earlier one is refused from then on.

use std::{
    collections::{HashMap, HashSet},
    fs, process,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use dittofs_domain::{FoldTable, ShareId};
use parking_lot::Mutex;
use sqlx::{Row, postgres::PgRow};
use tokio::task::AbortHandle;

use crate::{
    connection::Session,
    connections::{Connections, Statement},
    fault::Fault,
    lanes::Lanes,
    numbers::signed,
    options::PostgresOptions,
    statements,
    view::Remembered,
};

/// How often it is looked whether the claims stand, and the session.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How long it waits before it tries again to have a lock: what a killed server had is free within milliseconds.
const PAUSE: Duration = Duration::from_millis(20);

const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// What the ids of shares are mixed with for their two locks, so that no other program's is meant.
const KEEPERS: i64 = 0x5b0e_94d1_c3a8_672f;
const CHANGES: i64 = 0x2d6f_13ba_7e45_90c8;

/// The shares that are in use here.
#[derive(Debug)]
pub(crate) struct Claims {
    connections: Arc<Connections>,
    plans_max: usize,
    /// How long operations count, in milliseconds.
    age: i64,
    keeper: tokio::sync::Mutex<Keeper>,
    held: Mutex<HashMap<ShareId, Weak<Claim>>>,
    looking: Mutex<Option<AbortHandle>>,
}

/// The session that has the locks.
#[derive(Debug, Default)]
struct Keeper {
    session: Option<Session>,
    locked: HashSet<ShareId>,
}

/// What came of a try to take a share.
enum Taken {
    /// It is this server's; none if there is no such share.
    Ours(Option<Arc<Claim>>),
    /// Another one has it.
    Not,
}

/// A share that is this server's, until this value is dropped or another server has taken it.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) share: ShareId,
    pub(crate) lanes: Lanes,
    pub(crate) remembered: Remembered,
    /// When it was taken.
    pub(crate) taken: Instant,
    number: i64,
    /// Set before anybody gets the share.
    folding: OnceLock<FoldTable>,
    is_lost: AtomicBool,
    claims: Arc<Claims>,
}

impl Claim {
    /// Fails once it is known that another server has the share.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if self.is_lost.load(Ordering::Acquire) { Err(lost()) } else { Ok(()) }
    }

    /// The table by which the share folds names.
    pub(crate) fn folding(&self) -> FoldTable {
        self.folding.get().copied().unwrap_or_default()
    }

    /// Notes that table, once the index of folded names is whole.
    pub(crate) fn fold_by(&self, table: FoldTable) {
        // Whoever was first has read the same row.
        self.folding.set(table).ok();
    }

    /// Adds the arguments by which a statement that changes something proves that it may.
    pub(crate) fn proof(&self, statement: Statement) -> Statement {
        statement.with(self.number).with(lock_of_changes(self.share))
    }

    /// Takes note of a fault that says that the share is another server's.
    pub(crate) fn note<T>(&self, answer: Result<T, Fault>) -> Result<T, Fault> {
        if matches!(answer, Err(Fault::Fenced(_))) {
            self.lose();
        }
        answer
    }

    fn lose(&self) {
        if !self.is_lost.swap(true, Ordering::AcqRel) {
            tracing::error!(
                share = %self.share,
                "another server has taken this share over: nothing is read or changed here any more; stop one of the two"
            );
        }
    }
}

fn lost() -> Fault {
    Fault::Fenced("another server has taken the share over; stop one of the two".into())
}

impl Drop for Claim {
    fn drop(&mut self) {
        let (claims, share) = (Arc::clone(&self.claims), self.share);
        self.claims.connections.runtime().spawn(async move { claims.release(share).await });
    }
}

impl Claims {
    pub(crate) fn new(connections: Arc<Connections>, options: &PostgresOptions) -> Arc<Claims> {
        let claims = Arc::new(Claims {
            connections,
            plans_max: options.plans_max(),
            age: options.operations_ms(),
            keeper: tokio::sync::Mutex::default(),
            held: Mutex::default(),
            looking: Mutex::default(),
        });
        let looking = claims.connections.runtime().spawn(look_again_and_again(Arc::downgrade(&claims)));
        *claims.looking.lock() = Some(looking.abort_handle());
        claims
    }

    /// Makes a share this server's; none if there is no such share. Whoever has it has until the time for connecting is
    /// over to end.
    pub(crate) async fn take(self: &Arc<Self>, share: ShareId) -> Result<Option<Arc<Claim>>, Fault> {
        let this = Arc::clone(self);
        // Carried through, though nobody may wait for it: nothing is half-way then.
        let taking = self.connections.runtime().spawn(async move { this.take_now(share).await });
        taking.await.unwrap_or_else(|error| Err(Fault::NotSent(error.into())))
    }

    async fn take_now(self: &Arc<Self>, share: ShareId) -> Result<Option<Arc<Claim>>, Fault> {
        let deadline = self.connections.deadline();
        loop {
            match self.try_take(share, deadline).await {
                Ok(Taken::Ours(claim)) => return Ok(claim),
                Ok(Taken::Not) | Err(Fault::Lost { .. } | Fault::NotSent(_)) if Instant::now() < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                Ok(Taken::Not) => {
                    let holder = self.ask(&mut *self.keeper.lock().await, &holder_of(share)).await?;
                    return Err(Fault::Refused(described(holder.first()).into()));
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    async fn try_take(self: &Arc<Self>, share: ShareId, deadline: Instant) -> Result<Taken, Fault> {
        let mut keeper = self.keeper.lock().await;
        if let Some(claim) = self.living(share) {
            return claim.check().map(|()| Taken::Ours(Some(claim)));
        }
        match self.lock(&mut keeper, share, deadline).await? {
            true => self.claim(&mut keeper, share).await.map(Taken::Ours),
            false => Ok(Taken::Not),
        }
    }

    fn living(&self, share: ShareId) -> Option<Arc<Claim>> {
        self.held.lock().get(&share).and_then(Weak::upgrade)
    }

    /// All claims that are in use.
    pub(crate) fn all(&self) -> Vec<Arc<Claim>> {
        self.held.lock().values().filter_map(Weak::upgrade).collect()
    }

    /// Tries to have a share's lock in the keeper's session, which is made if there is none.
    async fn lock(&self, keeper: &mut Keeper, share: ShareId, deadline: Instant) -> Result<bool, Fault> {
        if keeper.session.is_none() {
            keeper.locked.clear();
            // What the last one was sent may still be carried out: a claim that came late would fence this server itself.
            self.connections.end_lost(deadline).await?;
            keeper.session = Some(self.connections.new_session(deadline).await?);
        }
        if !keeper.locked.contains(&share) {
            let trying = Statement::new(statements::TRY_LOCK).with(keepers_lock(share));
            let rows = self.ask(keeper, &trying).await?;
            if !rows.first().is_some_and(|row| row.try_get(0).unwrap_or(false)) {
                return Ok(false);
            }
            keeper.locked.insert(share);
        }
        Ok(true)
    }

    /// Takes the next number for a share whose lock is had.
    async fn claim(self: &Arc<Self>, keeper: &mut Keeper, share: ShareId) -> Result<Option<Arc<Claim>>, Fault> {
        let claiming = Statement::new(statements::CLAIM).with(signed(share.0)).with(lock_of_changes(share));
        let rows = self.ask(keeper, &claiming.with(address())).await?;
        let Some(row) = rows.first() else {
            self.unlock(keeper, share).await;
            return Ok(None);
        };
        let damaged = |error: sqlx::Error| Fault::damaged(error.to_string());
        let (number, opened) = (row.try_get(0).map_err(damaged)?, row.try_get(1).map_err(damaged)?);
        let claim = Arc::new(Claim {
            share,
            lanes: Lanes::new(self.plans_max),
            remembered: Remembered { opened, age: self.age },
            taken: Instant::now(),
            number,
            folding: OnceLock::new(),
            is_lost: AtomicBool::new(false),
            claims: Arc::clone(self),
        });
        self.held.lock().insert(share, Arc::downgrade(&claim));
        Ok(Some(claim))
    }

    /// Ends the claim of a share that was removed. Whoever has it still can do nothing with it; who makes a share of the
    /// same id gets another one.
    pub(crate) async fn remove(&self, claim: &Arc<Claim>) -> Result<(), Fault> {
        self.held.lock().remove(&claim.share);
        let removal = Statement::new(statements::REMOVE_CLAIM).with(signed(claim.share.0)).with(claim.number);
        self.connections.write(removal).await.map(drop)
    }

    /// Gives up the lock of a share that is no longer in use here.
    async fn release(&self, share: ShareId) {
        let mut keeper = self.keeper.lock().await;
        if self.living(share).is_none() {
            self.held.lock().remove(&share);
            self.unlock(&mut keeper, share).await;
        }
    }

    async fn unlock(&self, keeper: &mut Keeper, share: ShareId) {
        if keeper.locked.remove(&share) && keeper.session.is_some() {
            // Where it fails, the session is given up, and its locks with it.
            let unlocking = Statement::new(statements::UNLOCK).with(keepers_lock(share));
            self.ask(keeper, &unlocking).await.ok();
        }
    }

    /// Sends a statement in the keeper's session, which is given up if the answer does not come.
    async fn ask(&self, keeper: &mut Keeper, statement: &Statement) -> Result<Vec<PgRow>, Fault> {
        let Some(mut session) = keeper.session.take() else { return Err(Fault::NotSent("no session".into())) };
        let answer = self.connections.ask(&mut session, statement).await;
        match &answer {
            Err(fault) if fault.ends_session() => self.connections.note_lost(fault),
            _ => keeper.session = Some(session),
        }
        answer
    }

    /// Looks whether the claims stand. Locks that went with their session are taken again.
    async fn look(&self) -> Result<(), Fault> {
        let claims: Vec<Arc<Claim>> = self.all().into_iter().filter(|claim| claim.check().is_ok()).collect();
        if claims.is_empty() {
            return Ok(());
        }
        let mut keeper = self.keeper.lock().await;
        let soon = Instant::now() + PAUSE;
        for claim in &claims {
            // If another server has the lock, the numbers say whether it has the share.
            self.lock(&mut keeper, claim.share, soon).await?;
        }
        let shares: Vec<i64> = claims.iter().map(|claim| signed(claim.share.0)).collect();
        let numbers: Vec<i64> = claims.iter().map(|claim| claim.number).collect();
        let standing = self.ask(&mut keeper, &Statement::new(statements::STANDING).with(shares).with(numbers)).await?;
        let stands =
            |row: &PgRow| row.try_get(0).ok().filter(|_| row.try_get(1).is_ok_and(|is_fenced: bool| !is_fenced));
        let standing: HashSet<i64> = standing.iter().filter_map(stands).collect();
        claims.iter().filter(|claim| !standing.contains(&signed(claim.share.0))).for_each(|claim| claim.lose());
        Ok(())
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        if let Some(looking) = self.looking.lock().take() {
            looking.abort();
        }
    }
}

async fn look_again_and_again(claims: Weak<Claims>) {
    let mut pause = LOOK_EVERY;
    loop {
        tokio::time::sleep(pause).await;
        let Some(claims) = claims.upgrade() else { return };
        pause = match claims.look().await {
            Ok(()) => LOOK_EVERY,
            Err(error) => {
                tracing::debug!(%error, "it is not known whether the shares are still this server's");
                PAUSE * 10
            }
        };
    }
}

/// The lock that the keeper of a share has.
fn keepers_lock(share: ShareId) -> i64 {
    signed(share.0) ^ KEEPERS
}

/// The lock that changes of a share have together, and the next claim for itself.
fn lock_of_changes(share: ShareId) -> i64 {
    signed(share.0) ^ CHANGES
}

fn holder_of(share: ShareId) -> Statement {
    Statement::new(statements::HOLDER).with(keepers_lock(share)).with(signed(share.0))
}

/// This server, for the messages of others.
fn address() -> String {
    let host = fs::read_to_string(HOST_NAME).unwrap_or_else(|_| "a machine without a name".to_owned());
    format!("process {} on {}", process::id(), host.trim())
}

fn described(holder: Option<&PgRow>) -> String {
    let holder: Option<(i32, String)> = holder.and_then(|row| Some((row.try_get(0).ok()?, row.try_get(1).ok()?)));
    match holder {
        Some((session, address)) => format!(
            "{address} has the share: stop that server. If its machine has vanished, the database notices within a \
             minute; `SELECT pg_terminate_backend({session})` there takes the share from it at once"
        ),
        None => "another server has the share: stop it, or try again".to_owned(),
    }
}
