//! The messages of the socket: JSON.

use dittofs_ports::ShareSpace;
use serde::{Deserialize, Serialize};

/// A share's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareFacts {
    /// Its name: an absolute path.
    pub name: String,
    /// Its metadata store: name, type, and where it is.
    pub metadata_store: String,
    /// Its content store likewise.
    pub content_store: String,
    /// Where its journal is; none for a share in memory.
    pub journal: Option<String>,
    /// The tier in force.
    pub durability: String,
    /// How what is in files is compressed.
    pub compression: String,
    /// Whether it is encrypted, and where the keys are.
    pub encryption: String,
    /// Networks that may use it.
    pub clients: Vec<String>,
    /// Whether only requests from source ports below 1024 are taken; servers that don't say so took all.
    #[serde(default)]
    pub secure_ports: bool,
    /// Whose identity is replaced.
    pub squash: String,
    /// By which user.
    pub anonymous_uid: u32,
    /// By which group.
    pub anonymous_gid: u32,
    /// Which users may enter that log on by name, and what for: such as `alice write`, `group 100 read`. All where it is
    /// empty.
    #[serde(default)]
    pub access: Vec<String>,
    /// Whether changes are refused.
    pub read_only: bool,
    /// The most bytes that it may hold.
    pub quota: Option<u64>,
    /// The most files, directories and others that it may hold.
    #[serde(default)]
    pub quota_files: Option<u64>,
    /// Its name for clients of SMB.
    #[serde(default)]
    pub smb_name: String,
    /// Whether clients of SMB must encrypt: `required`, or `offered`.
    #[serde(default)]
    pub smb_encryption: String,
    /// How clients reach it, in lines for people; none where no server runs.
    #[serde(default)]
    pub mounts: Vec<String>,
}

/// A share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareView {
    /// Its configuration.
    #[serde(flatten)]
    pub facts: ShareFacts,
    /// Its id in its metadata store.
    pub id: Option<u64>,
    /// How it is, in a few words.
    pub state: String,
    /// Its space, where a server knows it.
    pub space: Option<SpaceView>,
}

/// Space of a share, in bytes and files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceView {
    /// Bytes that it can hold.
    pub bytes_total: u64,
    /// Bytes that are free.
    pub bytes_free: u64,
    /// Bytes that it holds.
    #[serde(default)]
    pub bytes_used: u64,
    /// Nodes that it can hold.
    pub nodes_total: u64,
    /// Nodes that are free.
    pub nodes_free: u64,
    /// Nodes that it holds.
    #[serde(default)]
    pub nodes_used: u64,
}

impl From<ShareSpace> for SpaceView {
    fn from(space: ShareSpace) -> SpaceView {
        let ShareSpace { bytes_total, bytes_free, bytes_used, nodes_total, nodes_free, nodes_used } = space;
        SpaceView { bytes_total, bytes_free, bytes_used, nodes_total, nodes_free, nodes_used }
    }
}

/// All shares of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharesView {
    /// In the order of the configuration.
    pub shares: Vec<ShareView>,
    /// Those that are in a metadata store and that the configuration does not name.
    #[serde(default)]
    pub unnamed: Vec<UnnamedView>,
}

/// A share that nobody serves: no configuration names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnnamedView {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: u64,
    /// The metadata store that it is in.
    pub metadata_store: String,
}

/// The outcome of reading the configuration again, for people: keys, and shares by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadView {
    /// The changes that were taken.
    pub applied: Vec<String>,
    /// The differences that need a restart.
    pub restart: Vec<String>,
    /// The changes that were tried in vain, with the reason.
    pub failed: Vec<String>,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// For people.
    pub error: String,
}
