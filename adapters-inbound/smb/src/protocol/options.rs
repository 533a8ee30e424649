use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use dittofs_smb_wire::dialect::Dialect;

use crate::negotiation::DIALECTS;

/// Whether messages are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Encryption {
    /// Never.
    Off,
    /// Where the client wants it.
    #[default]
    Offered,
    /// Always: who can't encrypt is refused.
    Required,
}

/// The section `adapters.smb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmbOptions {
    /// Where it is served; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Whether messages that are neither signed nor encrypted are refused.
    pub signing_required: bool,
    /// Whether messages are encrypted.
    pub encryption: Encryption,
    /// The oldest dialect, as its number on the wire.
    pub dialect_min: u16,
    /// The newest dialect.
    pub dialect_max: u16,
    /// The name of the server, as clients see it: at most 15 letters, digits and dashes.
    pub server_name: String,
    /// The bounds of what clients can make the server hold.
    pub limits: SmbLimits,
}

/// The section `adapters.smb.limits`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmbLimits {
    /// Sessions of one connection.
    pub sessions: usize,
    /// Shares that a session uses at once.
    pub trees: usize,
    /// Open files of a session.
    pub opens: usize,
    /// Requests of one connection that run at once.
    pub in_flight: usize,
    /// How long a peer may leave a frame unfinished, a reply untaken, or itself unknown, before it is dropped.
    pub stall: Duration,
    /// How often the users of sessions are looked up again.
    pub users: Duration,
    /// How long a logon counts; then the user has to prove itself again. None: until the session ends.
    pub logon: Option<Duration>,
    /// How long requests may go on after the signal to stop.
    pub drain: Duration,
}

impl SmbOptions {
    /// Whether a dialect is spoken.
    pub(crate) fn allows(&self, dialect: Dialect) -> bool {
        DIALECTS.contains(&dialect) && (self.dialect_min..=self.dialect_max).contains(&dialect.0)
    }

    /// Whether any dialect that is spoken can encrypt messages.
    #[must_use]
    pub fn can_seal(&self) -> bool {
        self.dialect_max >= Dialect::SMB_3_0.0
    }

    /// The keys that differ and can't be changed while clients are served.
    pub(crate) fn needing_restart(&self, newer: &SmbOptions) -> Vec<&'static str> {
        // All fields are named, so that none that is new is forgotten.
        let SmbOptions { listen, signing_required, encryption, dialect_min, dialect_max, server_name, limits } = self;
        let SmbLimits { sessions, trees, opens, in_flight, stall, users, logon, drain: _ } = limits;
        let differ = [
            ("listen", *listen != newer.listen),
            ("signing", *signing_required != newer.signing_required),
            ("encryption", *encryption != newer.encryption),
            ("dialects", (dialect_min, dialect_max) != (&newer.dialect_min, &newer.dialect_max)),
            ("server_name", *server_name != newer.server_name),
            ("limits.sessions", *sessions != newer.limits.sessions),
            ("limits.trees", *trees != newer.limits.trees),
            ("limits.opens", *opens != newer.limits.opens),
            ("limits.in_flight", *in_flight != newer.limits.in_flight),
            ("limits.stall_seconds", *stall != newer.limits.stall),
            ("limits.users_seconds", *users != newer.limits.users),
            ("limits.logon_seconds", *logon != newer.limits.logon),
        ];
        differ.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }
}

impl Default for SmbOptions {
    fn default() -> Self {
        SmbOptions {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 12_445)),
            signing_required: true,
            encryption: Encryption::default(),
            dialect_min: Dialect::SMB_2_0_2.0,
            dialect_max: Dialect::SMB_3_1_1.0,
            server_name: "DITTOFS".to_owned(),
            limits: SmbLimits::default(),
        }
    }
}

impl Default for SmbLimits {
    /// As Samba has it for opens; a client has few sessions, one for each of its users.
    fn default() -> Self {
        SmbLimits {
            sessions: 64,
            trees: 1_024,
            opens: 16_384,
            in_flight: 512,
            stall: Duration::from_secs(30),
            users: Duration::from_secs(60),
            logon: None,
            drain: Duration::from_secs(10),
        }
    }
}
