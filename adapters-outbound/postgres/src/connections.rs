//! The connections of a store: so many at most, and each in the hands of one call.

use std::{
    borrow::Cow,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use sqlx::{
    Arguments, Encode, Postgres, Type,
    postgres::{PgArguments, PgRow},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::{
    connection::{ConnectError, Connector, Session, SessionId, prepare},
    fault::Fault,
    lost::LostSessions,
    options::PostgresOptions,
    statements,
};

/// How long it waits before it tries again to reach a database that is away.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a connection that is being made is waited for alone. Then another one is tried beside it, which has as long.
const ALONE: Duration = Duration::from_millis(500);

/// A connection that nobody has used for so long is not trusted: what stands between may have forgotten it, and then
/// a call over it would wait in vain. Firewalls mostly do after five minutes.
const IDLE_MAX: Duration = Duration::from_secs(240);

/// How often a call is made again that another one was in the way of.
const DEADLOCKS_MAX: usize = 10;

/// The connections.
#[derive(Debug)]
pub(crate) struct Connections {
    connector: Connector,
    permits: Arc<Semaphore>,
    /// With the time since when nobody uses them; the one that was used last is last.
    idle: Mutex<Vec<(Instant, Session)>>,
    lost: LostSessions,
    /// Where sockets are watched, whoever uses them: the runtime of a caller may end before the store.
    runtime: Handle,
    wait: Duration,
    limit: Duration,
}

/// A connection in the hands of a call. It is closed when that is dropped half-way, since what was sent may still run.
pub(crate) struct Held<'a> {
    pub(crate) session: Session,
    connections: &'a Connections,
    _permit: OwnedSemaphorePermit,
}

impl Held<'_> {
    /// Gives it back after a whole answer.
    fn give_back(self) {
        self.connections.idle.lock().push((Instant::now(), self.session));
    }
}

/// A statement and its arguments.
#[derive(Clone)]
pub(crate) struct Statement {
    text: Cow<'static, str>,
    arguments: PgArguments,
    fault: Option<String>,
}

impl Statement {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Statement {
        Statement { text: text.into(), arguments: PgArguments::default(), fault: None }
    }

    /// With one more argument.
    #[must_use]
    pub(crate) fn with<'q, T: Encode<'q, Postgres> + Type<Postgres> + 'q>(mut self, argument: T) -> Statement {
        if let Err(error) = self.arguments.add(argument) {
            self.fault = Some(error.to_string());
        }
        self
    }
}

impl Connections {
    pub(crate) fn new(options: &PostgresOptions, connector: Connector) -> Connections {
        Connections {
            connector,
            permits: Arc::new(Semaphore::new(options.connections_max())),
            idle: Mutex::default(),
            lost: LostSessions::default(),
            runtime: Handle::current(),
            wait: options.connect_timeout(),
            limit: options.timeout(),
        }
    }

    /// Until when a call that begins now may go on.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.wait
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Makes the first connection: whether there is a database that will do shows here. One that is away, as it may be
    /// starting itself, is waited for as long as by any request.
    pub(crate) async fn connect(self: &Arc<Self>) -> Result<Session, ConnectError> {
        let deadline = self.deadline();
        loop {
            match self.connector.connect(self.wait).await {
                Err(error) if error.is_of_absence() && Instant::now() + PAUSE < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                connected => return connected,
            }
        }
    }

    /// Reads, from one connection after another until one answers.
    pub(crate) async fn read(self: &Arc<Self>, statement: &Statement) -> Result<Vec<PgRow>, Fault> {
        let deadline = self.deadline();
        let mut deadlocks = 0;
        self.end_lost(deadline).await?;
        loop {
            match self.once(statement, deadline).await {
                Err(Fault::Lost { .. }) if Instant::now() < deadline => {}
                Err(Fault::Deadlock(_)) if deadlocks < DEADLOCKS_MAX => deadlocks += 1,
                answer => return answer,
            }
        }
    }

    /// Sends a statement that changes something, and that may be carried out twice in a row: not, however, at any later
    /// time. So it goes on when its caller does not wait any longer.
    pub(crate) async fn write(self: &Arc<Self>, statement: Statement) -> Result<Vec<PgRow>, Fault> {
        let this = Arc::clone(self);
        let writing = self.runtime.spawn(async move {
            let deadline = this.deadline();
            this.end_lost(deadline).await?;
            loop {
                match this.once(&statement, deadline).await {
                    Err(Fault::Lost { .. }) if Instant::now() < deadline => this.end_lost(deadline).await?,
                    answer => return answer,
                }
            }
        });
        writing.await.unwrap_or_else(|error| Err(Fault::Refused(error.into())))
    }

    /// Sends a statement once.
    pub(crate) async fn once(self: &Arc<Self>, statement: &Statement, deadline: Instant) -> Result<Vec<PgRow>, Fault> {
        if let Some(fault) = &statement.fault {
            return Err(Fault::Malformed(fault.clone().into()));
        }
        let mut held = self.hold(deadline).await?;
        let fault = match self.ask(&mut held.session, statement).await {
            Ok(rows) => {
                held.give_back();
                return Ok(rows);
            }
            Err(fault) => fault,
        };
        if fault.ends_session() {
            self.close_idle();
            self.note_lost(&fault);
        } else {
            held.give_back();
        }
        Err(fault)
    }

    /// Sends a statement over one session.
    pub(crate) async fn ask(&self, session: &mut Session, statement: &Statement) -> Result<Vec<PgRow>, Fault> {
        let id = session.id;
        let query = sqlx::query_with::<Postgres, _>(&statement.text, statement.arguments.clone());
        match tokio::time::timeout(self.limit, query.fetch_all(&mut session.connection)).await {
            Ok(answer) => answer.map_err(|error| Fault::of(error, id)),
            Err(_) => {
                let source = format!("no answer within {} s", self.limit.as_secs()).into();
                Err(Fault::Lost { session: id, source })
            }
        }
    }

    /// Notes that a session's answer did not come, if it is that.
    pub(crate) fn note_lost(&self, fault: &Fault) {
        if let Fault::Lost { session, .. } = fault {
            self.lost.note(*session);
        }
    }

    /// Returns a connection: a free one or a new one.
    async fn hold(self: &Arc<Self>, deadline: Instant) -> Result<Held<'_>, Fault> {
        let none_free = || Fault::NotSent("all connections to the database are in use".into());
        let permit = Arc::clone(&self.permits).acquire_owned();
        let permit = tokio::time::timeout(deadline.saturating_duration_since(Instant::now()), permit).await;
        let permit = permit.map_err(|_| none_free())?.map_err(|_| none_free())?;
        let idle = self.idle.lock().pop().filter(|(since, _)| since.elapsed() < IDLE_MAX);
        let session = match idle {
            Some((_, session)) => session,
            None => self.new_session(deadline).await?,
        };
        Ok(Held { session, connections: self, _permit: permit })
    }

    /// Connects, again and again until the deadline: a database that starts again is there within seconds.
    pub(crate) async fn new_session(self: &Arc<Self>, deadline: Instant) -> Result<Session, Fault> {
        let this = Arc::clone(self);
        let connecting = self.runtime.spawn(async move {
            loop {
                let left = deadline.saturating_duration_since(Instant::now()).max(PAUSE);
                match this.connect_beside(left).await {
                    Ok(session) => return Ok(session),
                    Err(error) if Instant::now() + PAUSE >= deadline => return Err(error),
                    Err(error) => tracing::debug!(%error, "no connection to the database: trying again"),
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        match connecting.await {
            Ok(session) => session.map_err(|error| Fault::NotSent(error.into())),
            Err(error) => Err(Fault::NotSent(error.into())),
        }
    }

    /// Connects, with a second try beside the first one once that takes long. The first one has all the time, as the way
    /// may be a long one. It may also have been sent into a hole that nobody closes; then what is sent later gets
    /// through, once the database is back.
    async fn connect_beside(&self, within: Duration) -> Result<Session, ConnectError> {
        let mut first = pin!(self.connect_ready(within));
        if let Ok(connected) = tokio::time::timeout(ALONE, &mut first).await {
            return connected;
        }
        loop {
            tokio::select! {
                connected = &mut first => return connected,
                second = self.connect_ready(ALONE) => match second {
                    Ok(session) => return Ok(session),
                    Err(ConnectError::Silent { .. }) => {}
                    Err(_) => tokio::time::sleep(PAUSE).await,
                },
            }
        }
    }

    async fn connect_ready(&self, within: Duration) -> Result<Session, ConnectError> {
        let mut session = self.connector.connect(within).await?;
        let prepared = tokio::time::timeout(within, prepare(&mut session)).await;
        let prepared = prepared.map_err(|_| sqlx::Error::PoolTimedOut).and_then(|prepared| prepared);
        prepared.map_err(|source| ConnectError::Refused { place: self.connector.place(), source })?;
        Ok(session)
    }

    /// Closes connections that nobody uses: when one is cut off, most others are.
    fn close_idle(&self) {
        let closed = std::mem::take(&mut *self.idle.lock());
        drop(closed);
    }

    /// Ends every session whose answer did not come, so that nothing that was sent there takes effect any more. It comes
    /// before everything that is asked or changed: what was sent before is done before it, or never. A plan without a name
    /// could else take effect after one that was decided without it, as a flush's older bytes over newer ones.
    pub(crate) async fn end_lost(self: &Arc<Self>, deadline: Instant) -> Result<(), Fault> {
        while let Some(sessions) = self.lost.sessions() {
            match self.end(&sessions, deadline).await {
                Ok(true) => self.lost.forget(&sessions),
                Ok(false) if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(5)).await,
                Ok(false) => return Err(Fault::NotSent("a session of the database does not end".into())),
                Err(Fault::Lost { .. }) if Instant::now() < deadline => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Ends sessions; returns whether all of them are gone.
    async fn end(self: &Arc<Self>, sessions: &[SessionId], deadline: Instant) -> Result<bool, Fault> {
        let processes: Vec<i32> = sessions.iter().map(|session| session.process).collect();
        let started: Vec<i64> = sessions.iter().map(|session| session.started).collect();
        let ending = Statement::new(statements::END_SESSIONS).with(processes).with(started);
        let rows = self.once(&ending, deadline).await?;
        Ok(rows.is_empty())
    }
}
