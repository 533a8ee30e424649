//! Takes passwords out of texts: an error may quote the address that it was about.

use std::borrow::Cow;

/// The text that stands in a password's place.
pub(crate) const HIDDEN: &str = "(hidden)";
/// Parameters of a URL that let anybody use it, as `sig` of Azure and `X-Amz-Signature` of S3. What stands before the name
/// may be part of it.
const SIGNATURES: [&str; 2] = ["sig=", "signature="];

/// The text without what gives access in its URLs: users and passwords (`http://user:secret@host` is `http://(hidden)@host`),
/// and signatures (`?sig=secret` is `?sig=(hidden)`).
#[must_use]
pub fn without_passwords(text: &str) -> Cow<'_, str> {
    match without_users(text) {
        Cow::Borrowed(text) => without_signatures(text),
        Cow::Owned(text) => Cow::Owned(without_signatures(&text).into_owned()),
    }
}

fn without_users(text: &str) -> Cow<'_, str> {
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
    let url = url.split(ends_url).next().unwrap_or_default();
    let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some(at) = authority.rfind('@') {
        return Some(at);
    }
    // A password may hold characters that end a host, though a URL should have them encoded.
    let (_, port) = authority.rsplit_once(':')?;
    let is_port = port.ends_with(']') || port.bytes().all(|byte| byte.is_ascii_digit());
    if is_port { None } else { url.rfind('@') }
}

fn ends_url(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'`<>".contains(c)
}

fn without_signatures(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(end) = name_end(rest) {
        let (before, value) = rest.split_at(end);
        out.push_str(before);
        let length = value.find(|c| ends_url(c) || "&,;)}".contains(c)).unwrap_or(value.len());
        if length > 0 {
            out.push_str(HIDDEN);
        }
        rest = &value[length..];
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Where the value of the first signature begins.
fn name_end(text: &str) -> Option<usize> {
    let is_name = |end: usize| {
        let before = text.as_bytes().get(..=end).unwrap_or_default();
        SIGNATURES.iter().any(|name| {
            let Some(start) = before.len().checked_sub(name.len()) else { return false };
            let (before, found) = before.split_at(start);
            found.eq_ignore_ascii_case(name.as_bytes()) && !before.last().is_some_and(u8::is_ascii_alphanumeric)
        })
    };
    text.match_indices('=').map(|(at, _)| at).find(|at| is_name(*at)).map(|at| at + 1)
}

#[cfg(test)]
mod tests;
