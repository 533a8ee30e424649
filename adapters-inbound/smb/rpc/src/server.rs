//! The server and its shares, as remote calls tell of them.

/// A file server as one client may see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// The server's name, without backslashes.
    pub name: String,
    /// The domain or workgroup the server belongs to.
    pub domain: String,
    /// A remark about the server for people.
    pub comment: String,
    /// The major version of the operating system that the server claims to be, as 10.
    pub version_major: u32,
    /// The minor version of the operating system that the server claims to be.
    pub version_minor: u32,
    /// The SV_TYPE flags of MS-SRVS 2.2.2.7, which tell the roles of a server.
    pub server_type: u32,
    /// The shares that this client may know of, in the order of their listing. `IPC$` is one of them.
    pub shares: Vec<Share>,
}

impl Server {
    /// SV_TYPE_WORKSTATION, SV_TYPE_SERVER and SV_TYPE_NT: the roles of a plain file server.
    pub const TYPE_FILE_SERVER: u32 = 0x0000_1003;

    /// A plain file server of this name and domain that claims to be Windows 10, without a share.
    #[must_use]
    pub fn new(name: impl Into<String>, domain: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            domain: domain.into(),
            comment: String::new(),
            version_major: 10,
            version_minor: 0,
            server_type: Self::TYPE_FILE_SERVER,
            shares: Vec::new(),
        }
    }

    /// The share of this name. Upper and lower case are the same.
    pub(crate) fn share(&self, name: &str) -> Option<&Share> {
        let folded = || name.chars().flat_map(char::to_lowercase);
        self.shares.iter().find(|share| share.name.chars().flat_map(char::to_lowercase).eq(folded()))
    }
}

/// A share as remote calls tell of it (MS-SRVS 2.2.4.22 to 2.2.4.27).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Share {
    /// The name by which clients connect.
    pub name: String,
    /// Files or pipes.
    pub kind: ShareKind,
    /// Whether the share exists for administration or for the protocol's own needs, as `IPC$`, rather than for users.
    pub special: bool,
    /// Whether a listing tells of the share. One that is not listed still answers to its name.
    pub listed: bool,
    /// A remark about the share for people.
    pub comment: String,
    /// The number of clients that may connect at the same time, or `None` if nothing limits it.
    pub max_users: Option<u32>,
    /// The number of clients that are connected.
    pub current_users: u32,
    /// The folder that is shared, in the form of a Windows path. Any client that may see the share can ask for it, so a
    /// server that keeps its layout to itself gives `C:\` and the share's name.
    pub path: String,
    /// The SHI1005_FLAGS of MS-SRVS 2.2.4.29: DFS, client-side caching, access-based enumeration and encryption.
    pub flags: u32,
}

impl Share {
    /// A listed share of files, open to any number of clients.
    #[must_use]
    pub fn disk(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            path: format!("C:\\{name}"),
            name,
            kind: ShareKind::Disk,
            special: false,
            listed: true,
            comment: String::new(),
            max_users: None,
            current_users: 0,
            flags: 0,
        }
    }

    /// The share `IPC$`, through which clients open named pipes. Its path is empty.
    #[must_use]
    pub fn ipc() -> Self {
        Self { kind: ShareKind::Ipc, special: true, path: String::new(), ..Self::disk("IPC$") }
    }

    /// The share's type in a listing (MS-SRVS 2.2.2.4).
    pub(crate) fn share_type(&self) -> u32 {
        const STYPE_SPECIAL: u32 = 0x8000_0000;
        let kind = match self.kind {
            ShareKind::Disk => 0,
            ShareKind::Ipc => 3,
        };
        if self.special { kind | STYPE_SPECIAL } else { kind }
    }
}

/// The kind of things that clients find behind the name of a share (MS-SRVS 2.2.2.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShareKind {
    /// Files and folders: STYPE_DISKTREE.
    Disk,
    /// Named pipes: STYPE_IPC.
    Ipc,
}
