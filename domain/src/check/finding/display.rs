//! Descriptions of findings, for the people who look after the share.

use std::fmt;

use super::Finding;
use crate::plan::ObjectState;

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::NoRoot => write!(out, "the root directory is missing or no directory"),
            Finding::NoNode { node, .. } => write!(out, "leads to node {node}, which does not exist"),
            Finding::LinkCount { stored, counted, .. } => {
                write!(out, "the link count is {stored}, should be {counted}")
            }
            Finding::SecondName { node, .. } => write!(out, "one name too many of node {node}, which may have one"),
            Finding::WrongParent { stored, found, .. } => write!(
                out,
                "says that its entry is {} of directory {}, but it is {} of {}",
                stored.cookie, stored.directory, found.cookie, found.directory
            ),
            Finding::NoName { .. } => write!(out, "no entry leads to it"),
            Finding::NotFolded { .. } => write!(out, "clients that ignore the case of names do not find it"),
            Finding::Circle { .. } => write!(out, "directories lead to each other, and the root to none of them"),
            Finding::NamedThoughRemoved { counted, .. } => write!(out, "marked as removed, but has {counted} names"),
            Finding::NoteMissing { .. } => write!(out, "removed, but not listed to be deleted"),
            Finding::NoteSuperfluous { .. } => write!(out, "listed as removed, but is not"),
            Finding::PendingTruncationNote { .. } => {
                write!(out, "its pending truncation and the list of those do not agree")
            }
            Finding::NodeUnreadable { node } => {
                write!(out, "the row of node {node} is damaged: nothing can be done with it")
            }
            Finding::EntriesUnreadable { .. } => write!(out, "rows of its entries are damaged: listing it fails"),
            Finding::MapUnreadable { .. } => write!(out, "rows of its map are damaged: reading fails"),
            Finding::Uncovered { pages, .. } => {
                write!(out, "no row covers the pages {} to {}: reading them fails", pages.start, pages.end - 1)
            }
            Finding::Overlap { page, .. } => write!(out, "several rows cover page {page}"),
            Finding::Malformed { page, .. } => write!(out, "the extents of page {page} do not tile it: reading fails"),
            Finding::BehindEnd { page, .. } => write!(out, "rows or bytes behind the end, in page {page}"),
            Finding::NoContent { .. } => write!(out, "has rows of a map, but nothing that could have content"),
            Finding::Allocated { stored, counted, .. } => {
                write!(out, "{stored} bytes are said to be allocated, {counted} are")
            }
            Finding::XattrBytes { stored, .. } => write!(out, "extended attributes of other than {stored} bytes"),
            Finding::XattrsUnreadable { .. } => write!(out, "its extended attributes are damaged: they can't be read"),
            Finding::XattrsLeft { node } => write!(out, "extended attributes of node {node}, which does not exist"),
            Finding::OutsideObject { page, object, .. } => {
                write!(out, "page {page} has an extent outside object {object}")
            }
            Finding::ReferenceMissing { object, chunk, .. } => {
                write!(out, "chunk {chunk} uses object {object}, which no reference says")
            }
            Finding::ReferenceSuperfluous { object, chunk, .. } => {
                write!(out, "a reference says that chunk {chunk} uses object {object}, but it does not")
            }
            Finding::ObjectNotLive { object, state: None, .. } => write!(out, "uses object {object}, which has no row"),
            Finding::ObjectNotLive { object, state: Some(state), .. } => {
                write!(out, "uses object {object}, which is {}", state_word(*state))
            }
            Finding::ObjectLength { object, stored, found } => {
                write!(out, "object {object} has {found} bytes, should have {stored}")
            }
            Finding::Unused { object, bytes } => write!(out, "nothing uses object {object} of {bytes} bytes"),
            Finding::Orphans { objects, bytes } => {
                write!(out, "{objects} objects of {bytes} bytes in the content store are nobody's")
            }
            Finding::Statistics { stored, counted } => write!(
                out,
                "the share is said to have {} nodes of {} bytes, but has {} of {}",
                stored.nodes, stored.bytes, counted.nodes, counted.bytes
            ),
            Finding::Damaged { range, object, damage, .. } => {
                write!(out, "bytes {} to {} are lost: object {object}: {damage}", range.start, range.end - 1)
            }
        }
    }
}

fn state_word(state: ObjectState) -> &'static str {
    match state {
        ObjectState::Writing => "not known to be written",
        ObjectState::Live => "live",
        ObjectState::PendingDelete => "to be deleted",
    }
}
