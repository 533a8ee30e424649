//! Fills an answer with the entries that come next.

use dittofs_domain::{Cookie, FoldTable, NodeId, error::FsError};
use dittofs_ports::{ListRequest, LookupName, MetadataService};
use dittofs_smb_wire::{
    NtStatus,
    attributes::FileAttributes,
    info::{DirectoryClass, DirectoryEntry, DirectoryPage, FileMetadata, Pattern, Push},
};

use crate::{
    facts::metadata,
    failure::Failure,
    listing::Next,
    names::{shown, stored},
    open::OpenNode,
};

/// Entries that are read at once: a page with attributes is some hundred KiB, and between two of them others get on.
const ENTRIES_MAX: usize = 1_000;
/// Steps of comparing names with a pattern, after which others of the same front have their turn: half a millisecond.
const STEPS_MAX: usize = 200_000;
/// Bytes to which entries are aligned.
const ALIGNMENT: usize = 8;

/// The answer, and the room that it has left.
pub(super) struct Page {
    page: DirectoryPage,
    class: DirectoryClass,
    room: usize,
    is_single: bool,
    is_full: bool,
}

impl Page {
    pub(super) fn new(page: DirectoryPage, (class, room): (DirectoryClass, usize), is_single: bool) -> Page {
        Page { page, class, room, is_single, is_full: false }
    }

    /// Adds an entry. Returns false if it has no room: it is the first of the next answer then.
    ///
    /// # Errors
    /// `BUFFER_OVERFLOW` if no answer of this length can hold it.
    fn put(&mut self, name: &str, metadata: FileMetadata) -> Result<bool, NtStatus> {
        let entry = DirectoryEntry { name: name.into(), metadata, ..DirectoryEntry::default() };
        match self.page.push(&entry) {
            Push::Fits => {
                let length = self.class.fixed_length() + 2 * name.encode_utf16().count();
                self.room = self.room.saturating_sub(length.next_multiple_of(ALIGNMENT));
                self.is_full = self.is_single;
                Ok(true)
            }
            Push::Full => {
                self.is_full = true;
                Ok(false)
            }
            Push::FirstTooLong => Err(NtStatus::BUFFER_OVERFLOW),
            Push::NoPosixFacts => Err(NtStatus::INVALID_INFO_CLASS),
        }
    }

    /// How many entries there is room for, if their names are as short as can be.
    fn entries(&self) -> usize {
        let least = (self.class.fixed_length() + 2).next_multiple_of(ALIGNMENT);
        if self.is_single { 1 } else { self.room.div_ceil(least).clamp(1, ENTRIES_MAX) }
    }
}

/// A listing that goes on, for one answer.
pub(super) struct Scan<'a> {
    share: &'a dyn MetadataService,
    directory: &'a OpenNode,
    root: NodeId,
    pattern: &'a Pattern,
    folding: FoldTable,
    next: Next,
    page: Page,
    /// Steps since others had their turn.
    steps: usize,
}

impl<'a> Scan<'a> {
    /// - `root`: the directory above which clients see nothing.
    pub(super) fn new(
        directory: &'a OpenNode,
        (share, root): (&'a dyn MetadataService, NodeId),
        (pattern, folding): (&'a Pattern, FoldTable),
        next: Next,
        page: Page,
    ) -> Scan<'a> {
        Scan { share, directory, root, pattern, folding, next, page, steps: 0 }
    }

    /// Fills the page. `text` is the pattern as this request has it.
    pub(super) async fn run(&mut self, text: &str) -> Result<(), Failure> {
        let is_literal = !self.pattern.has_wildcards();
        if is_literal && self.next == Next::This && self.matches(text) && self.look_up(text).await? {
            return Ok(());
        }
        if matches!(self.next, Next::This | Next::Parent) {
            self.put_dots().await?;
        }
        while let (Next::After(cookie), false) = (self.next, self.page.is_full) {
            if is_literal && !self.page.page.is_empty() {
                self.next = Next::End;
            } else {
                self.put_entries(cookie).await?;
            }
        }
        Ok(())
    }

    /// The page, and the entry that comes after it.
    pub(super) fn finish(self) -> (DirectoryPage, Next) {
        (self.page.page, self.next)
    }

    /// Looks up the one name that is wanted, in any case, as a CREATE does. Returns false where that can't be done, for
    /// `.` and `..`, and for who may see names but look none up.
    async fn look_up(&mut self, text: &str) -> Result<bool, Failure> {
        let name = match stored(text) {
            Ok(name) => name,
            Err(FsError::NameTooLong) => {
                self.next = Next::End;
                return Ok(true);
            }
            Err(_) => return Ok(false),
        };
        let directory = self.directory;
        match self.share.lookup(&directory.caller, directory.node, &LookupName::Child(name)).await {
            Ok(found) => {
                let name = found.name.as_ref().map_or_else(|| text.into(), shown);
                self.page.put(&name, metadata(&found.node))?;
                self.next = Next::End;
                Ok(true)
            }
            Err(FsError::NotFound) => {
                self.next = Next::End;
                Ok(true)
            }
            Err(FsError::Access) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// `.` and `..`, which come first.
    async fn put_dots(&mut self) -> Result<(), Failure> {
        let wants_any = [".", ".."].into_iter().any(|dot| self.matches(dot));
        let (this, parent) = if wants_any { self.dots().await? } else { Default::default() };
        let dots = [(Next::This, ".", this, Next::Parent), (Next::Parent, "..", parent, Next::After(Cookie::START))];
        for (place, name, facts, after) in dots {
            if self.next == place && !self.page.is_full && self.put(name, facts)? {
                self.next = after;
            }
        }
        Ok(())
    }

    /// The directory, and the one above. That of the share's root is the root.
    async fn dots(&self) -> Result<(FileMetadata, FileMetadata), Failure> {
        let OpenNode { node, caller, .. } = self.directory;
        if !self.has_attributes() {
            return Ok(Default::default());
        }
        if *node != self.root {
            match self.share.lookup(caller, *node, &LookupName::Parent).await {
                Ok(found) => return Ok((metadata(&found.directory), metadata(&found.node))),
                Err(FsError::Access) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let this = metadata(&self.share.attributes(caller, *node).await?);
        let unknown = FileMetadata { attributes: FileAttributes::DIRECTORY, ..FileMetadata::default() };
        Ok((this, if *node == self.root { this } else { unknown }))
    }

    /// The entries after a cookie: one part of the directory.
    async fn put_entries(&mut self, after: Cookie) -> Result<(), Failure> {
        let directory = self.directory;
        let request = ListRequest {
            directory: directory.node,
            after,
            entries_max: if self.pattern.matches_all() { self.page.entries() } else { ENTRIES_MAX },
            with_attributes: self.has_attributes(),
        };
        let listed = self.share.list(&directory.caller, &request).await?;
        for entry in &listed.entries {
            if self.page.is_full {
                return Ok(());
            }
            self.let_others_go_on(entry.name.as_bytes().len()).await;
            let has_gone = request.with_attributes && listed.searchable && entry.attributes.is_none();
            if !has_gone {
                // Who may not search the directory sees names, and nothing else.
                let bare = FileMetadata { file_id: entry.node.0, ..FileMetadata::default() };
                if !self.put(&shown(&entry.name), entry.attributes.as_ref().map_or(bare, metadata))? {
                    return Ok(());
                }
            }
            self.next = Next::After(entry.cookie);
        }
        if !self.page.is_full && (listed.complete || listed.entries.is_empty()) {
            self.next = Next::End;
        }
        Ok(())
    }

    /// Ends the turn of this request when it has compared enough, with one more name of this length.
    async fn let_others_go_on(&mut self, length: usize) {
        self.steps += self.pattern.steps(length);
        if self.steps > STEPS_MAX {
            self.steps = 0;
            tokio::task::yield_now().await;
        }
    }

    /// Adds an entry if its name is wanted. Returns false if it has no room.
    fn put(&mut self, name: &str, metadata: FileMetadata) -> Result<bool, NtStatus> {
        if !self.matches(name) {
            return Ok(true);
        }
        self.page.put(name, metadata)
    }

    fn matches(&self, name: &str) -> bool {
        self.pattern.matches(name, &|letter| self.folding.fold_char(letter))
    }

    /// Whether entries have more than names.
    fn has_attributes(&self) -> bool {
        self.page.class != DirectoryClass::Names
    }
}

#[cfg(test)]
mod tests;
