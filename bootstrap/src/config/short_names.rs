//! The names of shares where clients know them by one word and not by a path, as those of SMB do.

use figment::value::Value;

use super::problem::Report;
use super::section::{Section, shown};
use super::shares::ShareConfig;

/// The longest name that Windows takes (NNLEN of MS-SRVS), in its 16-bit units.
const UNITS_MAX: usize = 80;
/// Characters that Windows refuses in names of shares.
const REFUSED: &str = "\"/\\[]:|<>+=;,*?";
/// Names that mean something else to clients (MS-SRVS, 3.1.4.7).
const RESERVED: [&str; 3] = ["ipc$", "pipe", "mailslot"];

/// Reads `smb_name`; by default it is the last part of the path.
pub(super) fn read(section: &mut Section<'_>, path: Option<&str>) -> Option<String> {
    let given = section.take_text("smb_name");
    if let Some(fault) = given.as_deref().and_then(fault_of) {
        let found = format!("{} {fault}", shown(&Value::from(given.as_deref().unwrap_or_default())));
        section.refuse("smb_name", found, "write a name as Windows has it, such as export");
        return None;
    }
    given.or_else(|| path.map(|path| path.rsplit('/').next().unwrap_or(path).to_owned()))
}

/// Refuses names that clients can't use, or can't tell apart, in a server that serves SMB.
pub(super) fn check(shares: &[ShareConfig], report: &Report) {
    for (at, share) in shares.iter().enumerate() {
        let (key, name) = (format!("shares[{at}].smb_name"), share.smb_name.as_str());
        let fix = "give the share a name for SMB that no other has";
        if let Some(fault) = fault_of(name) {
            let name = shown(&Value::from(name));
            report.refuse(&key, format!("the last part of `{}`, {name}, {fault}", share.name), fix);
        } else if let Some(other) = shares[..at].iter().find(|other| is_same(&other.smb_name, name)) {
            let found = format!(
                "`{name}` is the name of `{}` over SMB too, where upper and lower case are the same",
                other.name
            );
            report.refuse(&key, found, fix);
        }
    }
}

/// Whether clients take two names for one.
fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Returns the fault of a name, if it has one.
fn fault_of(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("is empty")
    } else if name.encode_utf16().count() > UNITS_MAX {
        Some("has more than 80 characters")
    } else if name.chars().any(|c| c.is_control() || REFUSED.contains(c)) {
        Some("has a character in it that Windows refuses in names of shares")
    } else if name.trim() != name || name.ends_with('.') {
        Some("begins or ends with a space, or ends with a dot")
    } else if RESERVED.contains(&name.to_lowercase().as_str()) {
        Some("means something else to clients of SMB")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
