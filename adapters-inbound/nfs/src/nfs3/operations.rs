//! How calls of NFSv3 are counted: procedures and statuses under their names in RFC 1813, without prefix.

use crate::rpc::{Operations, Procedure};

pub(super) const OPERATIONS: Operations = Operations { protocol: "nfs3", procedures: &PROCEDURES, statuses: &STATUSES };

const PROCEDURES: [Procedure; 22] = [
    Procedure::sure("NULL"),
    Procedure::new("GETATTR"),
    Procedure::new("SETATTR"),
    Procedure::new("LOOKUP"),
    Procedure::new("ACCESS"),
    Procedure::new("READLINK"),
    Procedure::new("READ"),
    Procedure::new("WRITE"),
    Procedure::new("CREATE"),
    Procedure::new("MKDIR"),
    Procedure::new("SYMLINK"),
    Procedure::new("MKNOD"),
    Procedure::new("REMOVE"),
    Procedure::new("RMDIR"),
    Procedure::new("RENAME"),
    Procedure::new("LINK"),
    Procedure::new("READDIR"),
    Procedure::new("READDIRPLUS"),
    Procedure::new("FSSTAT"),
    Procedure::new("FSINFO"),
    Procedure::new("PATHCONF"),
    Procedure::new("COMMIT"),
];

const STATUSES: [(u32, &str); 29] = [
    (0, "OK"),
    (1, "PERM"),
    (2, "NOENT"),
    (5, "IO"),
    (6, "NXIO"),
    (13, "ACCES"),
    (17, "EXIST"),
    (18, "XDEV"),
    (19, "NODEV"),
    (20, "NOTDIR"),
    (21, "ISDIR"),
    (22, "INVAL"),
    (27, "FBIG"),
    (28, "NOSPC"),
    (30, "ROFS"),
    (31, "MLINK"),
    (63, "NAMETOOLONG"),
    (66, "NOTEMPTY"),
    (69, "DQUOT"),
    (70, "STALE"),
    (71, "REMOTE"),
    (10_001, "BADHANDLE"),
    (10_002, "NOT_SYNC"),
    (10_003, "BAD_COOKIE"),
    (10_004, "NOTSUPP"),
    (10_005, "TOOSMALL"),
    (10_006, "SERVERFAULT"),
    (10_007, "BADTYPE"),
    (10_008, "JUKEBOX"),
];

#[cfg(test)]
mod tests;
