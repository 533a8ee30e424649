//! The mark of the owner of a share's objects, as text: a line that names the owner, as releases without leases wrote
//! it alone, and a line for each of the other facts. Unknown facts are passed over.

use std::{collections::HashMap, fmt::Write, time::Duration};

use dittofs_domain::{
    Epoch, Timestamp,
    ownership::{Holder, Mark, Start},
};

const OWNER: &str = "dittofs owner ";

pub(crate) fn encode(mark: &Mark) -> Vec<u8> {
    let Mark { owner, start, tag, lease, request_max, share, holder, at } = mark;
    let mut text = format!("{OWNER}{owner:032x}\n");
    let mut fact = |name: &str, value: String| {
        // Into memory, which takes everything.
        let _ = writeln!(text, "{name} {}", value.escape_default());
    };
    if let Some(Start { epoch, nonce }) = start {
        fact("epoch", epoch.0.to_string());
        fact("nonce", format!("{nonce:016x}"));
    }
    fact("tag", format!("{tag:016x}"));
    fact("lease-ms", lease.as_millis().to_string());
    fact("request-ms", request_max.as_millis().to_string());
    fact("seat", format!("{:016x}", holder.seat));
    fact("at-ns", at.unix_nanos().to_string());
    fact("process", holder.process.to_string());
    fact("host", holder.host.clone());
    fact("folder", holder.folder.clone());
    fact("share", share.clone());
    text.into_bytes()
}

pub(crate) fn decode(bytes: &[u8]) -> Option<Mark> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let mut lines = text.split('\n');
    let digits = lines.next()?.strip_prefix(OWNER).filter(|digits| digits.len() == 32)?;
    let owner = u128::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
    let facts: HashMap<&str, &str> = lines.filter_map(|line| line.split_once(' ')).collect();
    let number = |name: &str| facts.get(name).and_then(|value| value.parse::<u64>().ok());
    let bits = |name: &str| facts.get(name).and_then(|value| u64::from_str_radix(value, 16).ok());
    let words = |name: &str| facts.get(name).map(|value| unescape(value)).unwrap_or_default();
    let millis = |name: &str| Duration::from_millis(number(name).unwrap_or(0));
    let start = number("epoch").zip(bits("nonce")).map(|(epoch, nonce)| Start { epoch: Epoch(epoch), nonce });
    let at = facts.get("at-ns").and_then(|nanos| nanos.parse().ok()).map(Timestamp::from_unix_nanos);
    Some(Mark {
        owner,
        start,
        tag: bits("tag").unwrap_or(0),
        lease: millis("lease-ms"),
        request_max: millis("request-ms"),
        share: words("share"),
        holder: Holder {
            host: words("host"),
            process: number("process").and_then(|process| process.try_into().ok()).unwrap_or(0),
            folder: words("folder"),
            seat: bits("seat").unwrap_or(0),
        },
        at: at.unwrap_or_default(),
    })
}

/// The inverse of `str::escape_default`; what is no escape stays as it is.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let escape = after.chars().next();
        let (taken, found) = match escape {
            Some('n') => (1, Some('\n')),
            Some('r') => (1, Some('\r')),
            Some('t') => (1, Some('\t')),
            Some(plain @ ('\\' | '\'' | '"')) => (1, Some(plain)),
            Some('u') => after.find('}').map_or((0, None), |end| {
                let digits = after.get(2..end).unwrap_or_default();
                (end + 1, u32::from_str_radix(digits, 16).ok().and_then(char::from_u32))
            }),
            _ => (0, None),
        };
        out.push(found.unwrap_or('\\'));
        rest = after.get(if found.is_some() { taken } else { 0 }..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
