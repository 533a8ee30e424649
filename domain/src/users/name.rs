//! Names of users.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use thiserror::Error;

/// A name of a user: 1 to 104 characters, by the rules of Windows for account names, so that every client can send it.
///
/// Names that differ in case only are the same name: NTLM computes with the name in capitals (MS-NLMP, 3.3.2), and some
/// clients send it so.
#[derive(Clone)]
pub struct UserName {
    written: Box<str>,
    folded: Box<str>,
}

/// Why a text is no name of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NameFault {
    /// It has no character, or only spaces and dots.
    #[error("has no letter or digit in it")]
    Empty,
    /// It is too long.
    #[error("has more than {} characters", UserName::CHARACTERS_MAX)]
    TooLong,
    /// A character can't be in a name.
    #[error("has `{}` in it, which no name of a user can have", .0.escape_debug())]
    Character(char),
    /// It ends with a dot.
    #[error("ends with a dot")]
    EndsWithDot,
    /// It begins or ends with a space, which nobody would see.
    #[error("begins or ends with a space")]
    Spaces,
}

impl UserName {
    /// The most characters of a name: what Active Directory takes for a logon name.
    pub const CHARACTERS_MAX: usize = 104;

    /// Characters that Windows refuses in names of accounts (MS-SAMR, 3.1.1.8.4).
    pub const REFUSED: &'static str = "\"/\\[]:;|=,+*?<>";

    /// Checks a name that came from outside.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<UserName, NameFault> {
        if text.chars().count() > Self::CHARACTERS_MAX {
            return Err(NameFault::TooLong);
        }
        if let Some(refused) = text.chars().find(|c| c.is_control() || Self::REFUSED.contains(*c)) {
            return Err(NameFault::Character(refused));
        }
        if text.chars().all(|c| c == '.' || c.is_whitespace()) {
            return Err(NameFault::Empty);
        }
        if text.ends_with('.') {
            return Err(NameFault::EndsWithDot);
        }
        if text.trim() != text {
            return Err(NameFault::Spaces);
        }
        Ok(UserName { written: text.into(), folded: text.chars().map(folded).collect() })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The same for all names that differ in case only: the key by which a user is kept.
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

/// A character without its case, and always one. Small letters, as Unicode promises that a letter's small one stays the
/// same, while letters may get a capital one in a later version: a user that is kept stays found.
fn folded(c: char) -> char {
    let one = |mut mapped: Box<dyn Iterator<Item = char>>, c| match (mapped.next(), mapped.next()) {
        (Some(mapped), None) => mapped,
        _ => c,
    };
    // By the capital first, so that two small letters of one capital are the same, as in NTLM.
    let capital = one(Box::new(c.to_uppercase()), c);
    one(Box::new(capital.to_lowercase()), capital)
}

impl PartialEq for UserName {
    fn eq(&self, other: &UserName) -> bool {
        self.folded == other.folded
    }
}

impl Eq for UserName {}

impl PartialOrd for UserName {
    fn partial_cmp(&self, other: &UserName) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UserName {
    fn cmp(&self, other: &UserName) -> Ordering {
        self.folded.cmp(&other.folded)
    }
}

impl Hash for UserName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.written, f)
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests;
