//! One connection: how it is made, and what it must show before anything is sent over it.

use std::{
    fs, io,
    path::PathBuf,
    str::FromStr,
    time::{Duration, Instant},
};

use sqlx::{
    Connection, Executor, PgConnection, Row,
    postgres::{PgConnectOptions, PgSslMode},
};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    options::{PostgresOptions, SslMode},
    statements,
};

/// The oldest version that has all that the statements use.
const VERSION_MIN: i32 = 140_000;

/// The errors of a database that starts or stops, in order or not: `admin_shutdown` (also where its main process was
/// killed), `crash_shutdown`, `cannot_connect_now`.
const OF_ABSENCE: [&str; 3] = ["57P01", "57P02", "57P03"];
/// The ways in which a database is away.
const ABSENT: [io::ErrorKind; 5] = [
    io::ErrorKind::ConnectionRefused,
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::BrokenPipe,
    io::ErrorKind::UnexpectedEof,
];

/// Why there is no connection, and what to do.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The options name no database, or name it twice.
    #[error("{0}")]
    Options(String),
    /// The password can't be read.
    #[error("the password file {} can't be read: {source}", path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The database can't be reached, or refuses.
    #[error("{}", describe(place, source))]
    Refused {
        /// Host, port and database.
        place: String,
        /// Why not.
        source: sqlx::Error,
    },
    /// It does not do what the store rests on.
    #[error("the database at {place} can't hold metadata: {found}")]
    Unfit {
        /// Host, port and database.
        place: String,
        /// The reason, and what to change.
        found: String,
    },
    /// Nothing was heard from it.
    #[error("the database at {place} has not answered within {seconds} s")]
    Silent {
        /// Host, port and database.
        place: String,
        /// How long it had.
        seconds: u64,
    },
}

impl ConnectError {
    /// Whether the database is not there, or not yet.
    pub(crate) fn is_of_absence(&self) -> bool {
        let ConnectError::Refused { source, .. } = self else { return false };
        match source.as_database_error().and_then(|error| error.code()) {
            Some(code) => OF_ABSENCE.contains(&&*code),
            None => match source {
                sqlx::Error::Io(error) => ABSENT.contains(&error.kind()),
                // It was cut off in the midst of a message.
                sqlx::Error::Protocol(_) => true,
                _ => false,
            },
        }
    }
}

fn describe(place: &str, source: &sqlx::Error) -> String {
    let code = source.as_database_error().and_then(|error| error.code());
    let fix = match (code.as_deref(), source) {
        (Some("28P01" | "28000"), _) => "; check `user`, `password` or `password_file`, and the server's pg_hba.conf",
        (Some("3D000"), _) => "; make the database first: CREATE DATABASE … OWNER …",
        (Some("53300"), _) => "; raise the server's max_connections, or lower `max_connections` here",
        // A parameter that a pooler does not know. If it is told to ignore it, the session lacks its settings.
        (Some("08P01"), _) => "; if pgbouncer stands between, connect to the database itself",
        (None, sqlx::Error::Io(error)) if error.to_string().contains("certificate") => {
            "; check `sslmode`, `host` and `root_certificate`"
        }
        (None, sqlx::Error::Io(_)) => "; is PostgreSQL running there, and does it listen on this address?",
        (None, sqlx::Error::Tls(_)) => "; check `sslmode` and `root_certificate`",
        _ => "",
    };
    format!("no connection to the database at {place}: {source}{fix}")
}

/// A session of the database, by what tells it from all others that it ever had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionId {
    pub(crate) process: i32,
    /// In microseconds of the database's clock.
    pub(crate) started: i64,
}

/// A connection that may be used.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) connection: PgConnection,
    pub(crate) id: SessionId,
    /// Whether the database waits for standbys before it acknowledges a change.
    pub(crate) has_standbys: bool,
}

/// How connections are made.
#[derive(Debug)]
pub(crate) struct Connector {
    options: PostgresOptions,
    base: PgConnectOptions,
}

impl Connector {
    pub(crate) fn new(options: &PostgresOptions) -> Result<Connector, ConnectError> {
        Ok(Connector { base: base(options)?, options: options.clone() })
    }

    /// Host, port and database, for messages.
    pub(crate) fn place(&self) -> String {
        let database = self.base.get_database().unwrap_or_default();
        format!("{}:{}/{database}", self.base.get_host(), self.base.get_port())
    }

    /// Connects, and checks what is at the other end.
    pub(crate) async fn connect(&self, within: Duration) -> Result<Session, ConnectError> {
        let silent = || ConnectError::Silent { place: self.place(), seconds: within.as_secs() };
        tokio::time::timeout(within, self.connect_now()).await.unwrap_or_else(|_| Err(silent()))
    }

    async fn connect_now(&self) -> Result<Session, ConnectError> {
        let refused = |source| ConnectError::Refused { place: self.place(), source };
        let mark = format!("{:016x}", random());
        let mut options = self.base.clone().options([("dittofs.session", mark.as_str())]);
        if let Some(password) = self.password()? {
            options = options.password(&password);
        }
        let mut connection = PgConnection::connect_with(&options).await.map_err(refused)?;
        let checked = connection.fetch_one(statements::CHECK).await.map_err(refused)?;
        let found = Found::read(&checked).map_err(refused)?;
        if let Some(found) = found.fault(&mark) {
            return Err(ConnectError::Unfit { place: self.place(), found });
        }
        Ok(Session { connection, id: found.id, has_standbys: found.has_standbys })
    }

    fn password(&self) -> Result<Option<Zeroizing<String>>, ConnectError> {
        if let Some(path) = &self.options.password_file {
            let text = fs::read_to_string(path).map(Zeroizing::new);
            let text = text.map_err(|source| ConnectError::PasswordFile { path: path.clone(), source })?;
            return Ok(Some(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())));
        }
        Ok(self.options.password.as_ref().map(|password| Zeroizing::new(password.reveal().to_owned())))
    }
}

/// The options of all connections, without the password and the mark of the session.
fn base(options: &PostgresOptions) -> Result<PgConnectOptions, ConnectError> {
    let refused = |found: &str| ConnectError::Options(found.to_owned());
    if options.password.is_some() && options.password_file.is_some() {
        return Err(refused("`password` and `password_file`: set one of them"));
    }
    let base = match &options.url {
        Some(url) => {
            let parts =
                [options.host.is_some(), options.port.is_some(), options.user.is_some(), options.database.is_some()];
            if parts.contains(&true) {
                return Err(refused("`url` says host, port, user and database: leave those options out, or the url"));
            }
            // The reason is not told, since it may show the url, in which the password is.
            let reason = "`url` is not `postgres://USER:PASSWORD@HOST:PORT/DATABASE`";
            PgConnectOptions::from_str(url.reveal()).map_err(|_| refused(reason))?
        }
        None => {
            let host = options.host.as_deref().ok_or_else(|| refused("set `host` or `url`"))?;
            let user = options.user.as_deref().ok_or_else(|| refused("set `user`"))?;
            let database = options.database.as_deref().ok_or_else(|| refused("set `database`"))?;
            let base = PgConnectOptions::new_without_pgpass().port(options.port.unwrap_or(5_432));
            base.host(host).username(user).database(database).ssl_mode(PgSslMode::Prefer)
        }
    };
    with_encryption(options, base).map(|base| with_settings(options, base))
}

fn with_encryption(options: &PostgresOptions, base: PgConnectOptions) -> Result<PgConnectOptions, ConnectError> {
    let base = match options.sslmode {
        Some(mode) => base.ssl_mode(mode.into()),
        None => base,
    };
    let Some(path) = &options.root_certificate else { return Ok(base) };
    if !matches!(options.sslmode, None | Some(SslMode::VerifyCa | SslMode::VerifyFull)) {
        let found = "`root_certificate` is only used with `sslmode: verify-ca` or `verify-full`";
        return Err(ConnectError::Options(found.to_owned()));
    }
    Ok(base.ssl_root_cert(path))
}

/// The settings of sessions.
/// - Plans are made once for each statement, and are those that look rows up by whole keys. Young tables have no
///   statistics, or wrong ones; going by them the planner once chose to read a whole directory for one name.
/// - What the server's configuration says of commits does not count: a change is answered when it is durable.
fn with_settings(options: &PostgresOptions, base: PgConnectOptions) -> PgConnectOptions {
    // A little less than the caller waits: the database's own refusal says that nothing has changed.
    let limit = (options.timeout() * 7 / 8).as_millis().to_string();
    base.application_name("dittofs").statement_cache_capacity(256).options([
        ("search_path", "dittofs"),
        ("synchronous_commit", "on"),
        ("default_transaction_isolation", "read\\ committed"),
        ("jit", "off"),
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("enable_bitmapscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("statement_timeout", limit.as_str()),
        ("idle_in_transaction_session_timeout", limit.as_str()),
        // A call whose caller is gone ends, at the latest before the next start of the server is through.
        ("client_connection_check_interval", "500"),
        // The database keeps the session of a machine that has vanished for a minute, not for hours.
        ("tcp_keepalives_idle", "20"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "4"),
    ])
}

/// The facts that a session tells of itself and of its server.
struct Found {
    id: SessionId,
    mark: String,
    version: i32,
    is_in_recovery: bool,
    settings: [(&'static str, String); 3],
    encoding: String,
    has_standbys: bool,
}

impl Found {
    fn read(row: &sqlx::postgres::PgRow) -> Result<Found, sqlx::Error> {
        let mut settings =
            [("fsync", String::new()), ("full_page_writes", String::new()), ("synchronous_commit", String::new())];
        for (index, (_, value)) in settings.iter_mut().enumerate() {
            *value = row.try_get(5 + index)?;
        }
        Ok(Found {
            id: SessionId { process: row.try_get(0)?, started: row.try_get(1)? },
            mark: row.try_get::<Option<String>, _>(2)?.unwrap_or_default(),
            version: row.try_get(3)?,
            is_in_recovery: row.try_get(4)?,
            settings,
            encoding: row.try_get(8)?,
            has_standbys: row.try_get(9)?,
        })
    }

    /// The reason why this session won't do, with what to change.
    fn fault(&self, mark: &str) -> Option<String> {
        if self.mark != mark {
            let found = "something between drops the settings of sessions, as pgbouncer does in every mode: connect \
                         to the database itself";
            return Some(found.to_owned());
        }
        if self.version < VERSION_MIN {
            return Some(format!("it is PostgreSQL {}, and 14 or later is needed", self.version / 10_000));
        }
        if self.is_in_recovery {
            return Some("it is a standby, which can't be written to: connect to the primary".to_owned());
        }
        if self.encoding != "UTF8" {
            let found = "make a database with ENCODING 'UTF8'";
            return Some(format!("its encoding is {}: {found}", self.encoding));
        }
        let off = self.settings.iter().find(|(_, value)| value != "on");
        off.map(|(name, value)| {
            format!(
                "{name} is {value}, so changes that were acknowledged may be lost: set {name} = on in postgresql.conf"
            )
        })
    }
}

/// Makes a session ready for calls: the statement of plans, which most calls are, is known to it from the start.
pub(crate) async fn prepare(session: &mut Session) -> Result<(), sqlx::Error> {
    session.connection.prepare(statements::APPLY).await.map(drop)
}

/// A number that tells sessions from each other.
fn random() -> u64 {
    // Where there is no randomness, the clock does: it has only to differ from session to session.
    getrandom::u64().unwrap_or_else(|_| Instant::now().elapsed().subsec_nanos().into())
}
