//! The names under which clients know shares.

/// The name of `IPC$`, which leads to pipes and is no share of ours.
pub(crate) const PIPES: &str = "IPC$";

/// The name of a share as SMB has it: the last part of its path.
pub(crate) fn smb_name(share: &str) -> &str {
    share.trim_end_matches('/').rsplit('/').next().unwrap_or(share)
}

/// The last part of `\\SERVER\SHARE`.
pub(crate) fn of_path(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("\\\\")?;
    let (_, share) = rest.split_once('\\')?;
    Some(share.trim_end_matches('\\')).filter(|share| !share.is_empty() && !share.contains('\\'))
}

/// Whether two names of shares mean the same.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
