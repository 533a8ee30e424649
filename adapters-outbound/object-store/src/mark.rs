//! What the store's mark and the owners' files say: one line of text each, with a version of the format.

/// The format that is written, and the newest one that is known.
pub(crate) const FORMAT: u32 = 1;

/// No line is longer.
pub(crate) const LINE_BYTES_MAX: u64 = 256;

const STORE: &str = "dittofs objects, format ";
const OWNER: &str = "dittofs owner ";

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Known,
    Newer(u32),
    Unreadable,
}

pub(crate) fn mark() -> String {
    format!("{STORE}{FORMAT}\n")
}

pub(crate) fn read_mark(bytes: &[u8]) -> Mark {
    match line(bytes).and_then(|line| line.strip_prefix(STORE)).and_then(|number| number.parse().ok()) {
        Some(FORMAT) => Mark::Known,
        Some(newer) if newer > FORMAT => Mark::Newer(newer),
        Some(_) | None => Mark::Unreadable,
    }
}

pub(crate) fn owner(owner: u128) -> String {
    format!("{OWNER}{owner:032x}\n")
}

pub(crate) fn read_owner(bytes: &[u8]) -> Option<u128> {
    let digits = line(bytes)?.strip_prefix(OWNER).filter(|digits| digits.len() == 32 && !digits.starts_with('+'))?;
    u128::from_str_radix(digits, 16).ok()
}

fn line(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()?.strip_suffix('\n')
}

#[cfg(test)]
mod tests;
