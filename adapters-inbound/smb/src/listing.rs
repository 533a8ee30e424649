//! How far a listing through an open has come.

use dittofs_domain::Cookie;
use dittofs_smb_wire::info::Pattern;

use crate::holdings::Held;

/// The entry that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Next {
    /// `.`
    #[default]
    This,
    /// `..`
    Parent,
    /// The first after this cookie.
    After(Cookie),
    /// None.
    End,
}

/// A listing.
#[derive(Default)]
pub(crate) struct Listing {
    /// The names that are wanted; none before the first request.
    pub(crate) pattern: Option<Pattern>,
    pub(crate) next: Next,
    /// Whether any name was found since the start: a listing without any ends otherwise than one that is through.
    pub(crate) has_found: bool,
    /// The room that a long pattern takes.
    pub(crate) _room: Option<Held>,
}
