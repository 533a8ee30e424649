//! The abilities of a place, and the options of every put. No other module makes options of a put.

use opendal::{
    Capability, Metadata, Operator,
    options::{ReadOptions, WriteOptions},
};

/// The findings about a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Whether the store refuses to write over something on request.
    pub(super) puts_only_new: bool,
    /// Whether it keeps the type of what is written.
    pub(super) keeps_types: bool,
    /// Whether it writes over something only if that is what was seen, on request.
    pub(super) replaces_only_seen: bool,
    /// What it tells versions of an object apart by.
    pub(super) versions: Versions,
}

/// What a service tells versions of an object apart by, where something is asked for only of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Versions {
    /// Numbers: the generations of Google.
    Numbers,
    /// Entity tags.
    Tags,
}

impl Versions {
    fn of(service: Capability) -> Versions {
        match service.write_with_if_version_match && !service.write_with_if_match {
            true => Versions::Numbers,
            false => Versions::Tags,
        }
    }

    /// Returns the version of what was found or written.
    pub(super) fn of_object(self, object: &Metadata) -> Option<String> {
        let version = match self {
            Versions::Numbers => object.version(),
            Versions::Tags => object.etag(),
        };
        version.map(str::to_owned)
    }

    /// A version that no store gives an object.
    pub(super) fn none(self) -> &'static str {
        match self {
            Versions::Numbers => "1",
            Versions::Tags => "\"0123456789abcdef0123456789abcdef\"",
        }
    }
}

/// The type of everything that is written. Without one, some services answer later that there is none, in a form that
/// their own clients can't read.
const CONTENT_TYPE: &str = "application/octet-stream";

impl Found {
    /// Returns the usual abilities of a service of this kind, before it was asked.
    pub(super) fn usual(operator: &Operator) -> Found {
        let service = operator.info().capability();
        let (keeps_types, versions) = (service.write_with_content_type, Versions::of(service));
        Found { puts_only_new: true, keeps_types, replaces_only_seen: false, versions }
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
        match self.versions {
            Versions::Numbers => WriteOptions { if_version_match: version, ..self.any() },
            Versions::Tags => WriteOptions { if_match: version, ..self.any() },
        }
    }

    /// Reads this version of what is there, where the service can be asked for one.
    pub(super) fn only(self, version: Option<String>, service: Capability) -> ReadOptions {
        match self.versions {
            Versions::Numbers if service.read_with_if_version_match => {
                ReadOptions { if_version_match: version, ..ReadOptions::default() }
            }
            Versions::Tags if service.read_with_if_match => ReadOptions { if_match: version, ..ReadOptions::default() },
            Versions::Numbers | Versions::Tags => ReadOptions::default(),
        }
    }

    /// Returns the options that all puts have in common.
    fn any(self) -> WriteOptions {
        WriteOptions { content_type: self.keeps_types.then(|| CONTENT_TYPE.to_owned()), ..WriteOptions::default() }
    }
}

#[cfg(test)]
mod tests;
