//! Takes passwords out of texts: an error may quote the address that it was about.

use std::borrow::Cow;

/// What stands in a password's place.
pub(crate) const HIDDEN: &str = "(hidden)";

/// The text without the users and passwords that its URLs name: `http://user:secret@host` is `http://(hidden)@host`.
#[must_use]
pub fn without_passwords(text: &str) -> Cow<'_, str> {
    const SCHEME: &str = "://";
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(SCHEME) {
        let (before, after) = rest.split_at(at + SCHEME.len());
        out.push_str(before);
        rest = after;
        if let Some(secret) = user_in(after) {
            out.push_str(HIDDEN);
            rest = &after[secret..];
        }
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// How many bytes before the `@` name a user, in what follows a scheme.
fn user_in(url: &str) -> Option<usize> {
    let ends = |c: char| c.is_whitespace() || c.is_control() || "\"'`<>".contains(c);
    let url = url.split(ends).next().unwrap_or_default();
    let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some(at) = authority.rfind('@') {
        return Some(at);
    }
    // A password may hold characters that end a host, though a URL should have them encoded.
    let (_, port) = authority.rsplit_once(':')?;
    let is_port = port.ends_with(']') || port.bytes().all(|byte| byte.is_ascii_digit());
    if is_port { None } else { url.rfind('@') }
}

#[cfg(test)]
mod tests;
