//! Passwords, as people type them: never on the command line, where every user of the machine could read them.

use std::io::{self, BufRead, IsTerminal, Read};

use dittofs_domain::users::UserName;
use zeroize::Zeroizing;

/// The most UTF-16 units of a password (PWLEN of Windows).
const UNITS_MAX: usize = 256;
/// The most bytes of a line: no password that fits is longer.
const LINE_BYTES_MAX: u64 = 4 * UNITS_MAX as u64;

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordFault {
    /// It is none that clients can send.
    #[error("the password {0}")]
    Unfit(&'static str),
    /// It was typed otherwise the second time.
    #[error("the two passwords differ: nothing is changed")]
    Differ,
    /// It can't be read.
    #[error("the password can't be read: {0}")]
    Read(#[from] io::Error),
}

/// Asks for a user's new password: twice on a terminal, without showing it; else it is the first line of the standard
/// input.
pub(crate) fn ask(name: &UserName) -> Result<Zeroizing<String>, PasswordFault> {
    let input = io::stdin();
    if !input.is_terminal() {
        return of_line(&mut input.lock());
    }
    let password = Zeroizing::new(rpassword::prompt_password(format!("New password of {name}: "))?);
    checked(&password)?;
    let again = Zeroizing::new(rpassword::prompt_password("The same again: ")?);
    if password == again { Ok(password) } else { Err(PasswordFault::Differ) }
}

/// The first line.
pub(crate) fn of_line(input: &mut dyn BufRead) -> Result<Zeroizing<String>, PasswordFault> {
    // With room for all of it: a buffer that grows would leave copies behind.
    let mut line = Zeroizing::new(String::with_capacity(LINE_BYTES_MAX as usize + 2));
    input.take(LINE_BYTES_MAX + 2).read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    checked(&line)?;
    Ok(line)
}

fn checked(password: &str) -> Result<(), PasswordFault> {
    match password {
        "" => Err(PasswordFault::Unfit("is empty")),
        text if text.encode_utf16().count() > UNITS_MAX => Err(PasswordFault::Unfit("has more than 256 characters")),
        text if text.chars().any(char::is_control) => Err(PasswordFault::Unfit("has a control character in it")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
