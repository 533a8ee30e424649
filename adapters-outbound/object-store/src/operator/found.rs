//! The abilities of a place, and the options of every put. No other module makes options of a put.

use opendal::{Operator, options::WriteOptions};

/// The findings about a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Whether the store refuses to write over something on request.
    pub(super) puts_only_new: bool,
    /// Whether it keeps the type of what is written.
    pub(super) keeps_types: bool,
    /// Whether it writes over something only if that is what was seen, on request.
    pub(super) replaces_only_seen: bool,
}

/// The type of everything that is written. Without one, some services answer later that there is none, in a form that
/// their own clients can't read.
const CONTENT_TYPE: &str = "application/octet-stream";

impl Found {
    /// Returns the usual abilities of a service of this kind, before it was asked.
    pub(super) fn usual(operator: &Operator) -> Found {
        let keeps_types = operator.info().capability().write_with_content_type;
        Found { puts_only_new: true, keeps_types, replaces_only_seen: false }
    }

    /// Writes what is not there yet, and never over anything; where the store can't do that, the caller has looked.
    pub(super) fn only_new(self) -> WriteOptions {
        WriteOptions { if_not_exists: self.puts_only_new, ..self.any() }
    }

    /// The same, in parts of so many bytes, so many of them at once.
    pub(super) fn only_new_in_parts(self, bytes: usize, concurrent: usize) -> WriteOptions {
        WriteOptions { chunk: Some(bytes), concurrent, ..self.only_new() }
    }

    /// Writes over what is there; only over this version of it, where one is named.
    pub(super) fn over(self, version: Option<String>) -> WriteOptions {
        WriteOptions { if_match: version, ..self.any() }
    }

    /// Returns the options that all puts have in common.
    fn any(self) -> WriteOptions {
        WriteOptions { content_type: self.keeps_types.then(|| CONTENT_TYPE.to_owned()), ..WriteOptions::default() }
    }
}

#[cfg(test)]
mod tests;
