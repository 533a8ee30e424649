//! Users, and the machine by which their identifiers begin.

pub(crate) const MACHINE: &str = "SELECT id FROM machine WHERE one = 1";

pub(crate) const MAKE_MACHINE: &str =
    "INSERT INTO machine (id, one) VALUES ($1, 1) ON CONFLICT (one) DO NOTHING RETURNING 1";

pub(crate) const USERS: &str = "SELECT revision, uid, gid, is_disabled, name, groups, secret FROM account
WHERE folded > $1 ORDER BY folded LIMIT $2";

pub(crate) const USER: &str =
    "SELECT revision, uid, gid, is_disabled, name, groups, secret FROM account WHERE folded = $1";

/// Adds a user, if there is none; a row if it is there in this state, be it from the first time.
pub(crate) const ADD_USER: &str =
    "INSERT INTO account AS known (revision, uid, gid, is_disabled, folded, name, groups, secret)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (folded) DO UPDATE SET revision = $1 WHERE known.revision = $1 RETURNING 1";

/// Changes a user that is in one state, or has been changed so already.
pub(crate) const CHANGE_USER: &str =
    "UPDATE account SET revision = $1, uid = $2, gid = $3, is_disabled = $4, name = $6, groups = $7, secret = $8
WHERE folded = $5 AND (revision = $9 OR revision = $1) RETURNING 1";

/// Removes a user in one state; a row if it is in another one.
pub(crate) const REMOVE_USER: &str = "WITH gone AS (DELETE FROM account WHERE folded = $1 AND revision = $2)
SELECT 1 FROM account WHERE folded = $1 AND revision <> $2";
