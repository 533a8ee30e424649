//! The store's mark: one line of text, with a version of the format.

/// The format that is written, and the newest one that is known.
pub(crate) const FORMAT: u32 = 1;

/// No mark, and no owner's mark, is longer: names of shares and folders are a few KiB at most.
pub(crate) const MARK_BYTES_MAX: u64 = 32 << 10;

const STORE: &str = "dittofs objects, format ";

/// The meaning of a mark.
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

fn line(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()?.strip_suffix('\n')
}

#[cfg(test)]
mod tests;
