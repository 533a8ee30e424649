//! READDIR and READDIRPLUS.
//!
//! Cookies are those of the entries, and good for ever, so the verifier is always 0. `.` and `..` have the cookies 1
//! and 2, which no entry has.

use dittofs_domain::{
    Attributes, Cookie, NodeId,
    error::{FsError, FsResult},
};
use dittofs_ports::{Entered, Entry, HandleSigner, ListReply, ListRequest};
use dittofs_xdr::{BoundedList, OpaqueSlice};

use super::{
    TRANSFER_BYTES_MAX,
    program::{Context, Nfs3},
    translate,
    wire::*,
};
use crate::rpc::Reply;

const THIS: u64 = 1;
const PARENT: u64 = 2;
/// The least that an entry takes: of READDIR, and of READDIRPLUS with attributes and handle.
const ENTRY_BYTES_MIN: usize = 28;
const ENTRY_PLUS_BYTES_MIN: usize = 160;
/// Entries that one reply lists at most. It bounds the memory and time of one call where a client allows a MiB of short
/// names.
const ENTRIES_MAX: usize = 8_192;
/// Entries that are read at once: half a millisecond's work. Between two such pages a front serves others.
const PAGE_ENTRIES: usize = 128;

/// The entries and attributes to be written into a reply.
struct Page {
    entered: Entered,
    attributes: Attributes,
    parent: NodeId,
    searchable: bool,
    entries: Vec<Entry>,
    complete: bool,
}

/// The room that a reply still has for entries.
struct Room {
    reply_bytes: usize,
    /// Of `dircount`.
    name_bytes: usize,
    entry_bytes_min: usize,
    entries: usize,
}

impl Room {
    fn new(reply_bytes: u32, dircount: u32, entry_bytes_min: usize) -> Room {
        let reply_bytes = reply_bytes.min(TRANSFER_BYTES_MAX) as usize;
        Room { reply_bytes, name_bytes: dircount as usize, entry_bytes_min, entries: ENTRIES_MAX }
    }

    /// How many entries there is room for, if their names are as short as can be.
    fn entries(&self) -> usize {
        let of_reply = self.reply_bytes / self.entry_bytes_min;
        of_reply.min(self.name_bytes / dircount_bytes(1)).min(self.entries)
    }

    fn take(&mut self, name: &[u8]) {
        let longer = name.len().next_multiple_of(4).saturating_sub(4);
        self.reply_bytes = self.reply_bytes.saturating_sub(self.entry_bytes_min + longer);
        self.name_bytes = self.name_bytes.saturating_sub(dircount_bytes(name.len()));
        self.entries = self.entries.saturating_sub(1);
    }
}

impl Nfs3 {
    pub(super) async fn readdir(&self, context: &Context, arguments: READDIR3args) -> Reply {
        let room = Room::new(arguments.count, u32::MAX, ENTRY_BYTES_MIN);
        let page = self.page(context, &arguments.dir, arguments.cookie, room, false).await;
        let page = match page {
            Ok(page) => page,
            Err(error) => return self.list_failed(context, &arguments.dir, error).await,
        };
        let attributes = Self::present(page.entered.node, &page.attributes);
        listing(attributes, [0; 8], arguments.count.min(TRANSFER_BYTES_MAX), |list| {
            let dots = dots(&page, arguments.cookie);
            for (name, cookie, node) in dots {
                if !list.try_push(&entry3 { fileid: node.0, name: OpaqueSlice(name), cookie }) {
                    return false;
                }
            }
            for entry in &page.entries {
                let name = OpaqueSlice(entry.name.as_bytes());
                if !list.try_push(&entry3 { fileid: entry.node.0, name, cookie: entry.cookie.0 }) {
                    return false;
                }
            }
            page.complete
        })
    }

    pub(super) async fn readdirplus(&self, context: &Context, arguments: READDIRPLUS3args) -> Reply {
        let room = Room::new(arguments.maxcount, arguments.dircount, ENTRY_PLUS_BYTES_MIN);
        let page = self.page(context, &arguments.dir, arguments.cookie, room, true).await;
        let page = match page {
            Ok(page) => page,
            Err(error) => return self.list_failed(context, &arguments.dir, error).await,
        };
        let attributes = Self::present(page.entered.node, &page.attributes);
        let signer = page.entered.share.handle_signer();
        let mut dircount = arguments.dircount as usize;
        listing(attributes, [0; 8], arguments.maxcount.min(TRANSFER_BYTES_MAX), |list| {
            for (name, cookie, node) in dots(&page, arguments.cookie) {
                let attributes = (cookie == THIS && page.searchable).then_some(&page.attributes);
                let entry = plus(signer, name, cookie, node, attributes);
                if !list.try_push(&entry) || !spend(&mut dircount, name, list) {
                    return false;
                }
            }
            for entry in &page.entries {
                let name = entry.name.as_bytes();
                if !fits(dircount, name, list) {
                    return false;
                }
                let plus = plus(signer, name, entry.cookie.0, entry.node, entry.attributes.as_ref());
                if !list.try_push(&plus) {
                    return false;
                }
                dircount = dircount.saturating_sub(dircount_bytes(name.len()));
            }
            page.complete
        })
    }

    /// Reads the entries that a reply has room for, in pages.
    ///
    /// The directory's attributes are those from before the first page: a client that keeps the listing must notice what
    /// was added or removed behind the reader's back.
    async fn page(
        &self,
        context: &Context,
        handle: &nfs_fh3,
        cookie: u64,
        mut room: Room,
        with_attributes: bool,
    ) -> FsResult<Page> {
        let entered = self.enter(context, handle)?;
        let directory = entered.node.node;
        let after = if cookie <= PARENT { Cookie::START } else { Cookie(cookie) };
        let mut request = ListRequest { directory, after, entries_max: 0, with_attributes };
        let first = self.some_entries(context, &entered, &mut request, &mut room).await?;
        let mut page = Page {
            entered,
            attributes: first.directory,
            parent: first.parent,
            searchable: first.searchable,
            entries: first.entries,
            complete: first.complete,
        };
        while !page.complete && room.entries() > 0 {
            tokio::task::yield_now().await;
            let more = self.some_entries(context, &page.entered, &mut request, &mut room).await?;
            page.complete = more.complete;
            page.entries.extend(more.entries);
        }
        Ok(page)
    }

    /// The next few entries, with a permit for this connection. The request goes on behind them.
    async fn some_entries(
        &self,
        context: &Context,
        Entered { caller, share, .. }: &Entered,
        request: &mut ListRequest,
        room: &mut Room,
    ) -> FsResult<ListReply> {
        request.entries_max = room.entries().clamp(1, PAGE_ENTRIES);
        let _permit = self.listings.take(context.peer).await;
        let reply = share.list(caller, request).await?;
        for entry in &reply.entries {
            room.take(entry.name.as_bytes());
            request.after = entry.cookie;
        }
        Ok(reply)
    }

    async fn list_failed(&self, context: &Context, handle: &nfs_fh3, error: FsError) -> Reply {
        let Ok(status) = translate::status(error) else { return Reply::disconnect() };
        let attributes = self.post_op(context, handle).await;
        Reply::success(&READDIR3res::Err(status, attributes))
    }
}

/// `.` and `..`, as far as they come after a cookie.
fn dots(page: &Page, after: u64) -> impl Iterator<Item = (&'static [u8], u64, NodeId)> {
    let both: [(&[u8], u64, NodeId); 2] = [(b".", THIS, page.entered.node.node), (b"..", PARENT, page.parent)];
    both.into_iter().filter(move |(_, cookie, _)| *cookie > after)
}

fn plus<'n>(
    signer: &HandleSigner,
    name: &'n [u8],
    cookie: u64,
    node: NodeId,
    attributes: Option<&Attributes>,
) -> entryplus3<OpaqueSlice<'n>> {
    entryplus3 {
        fileid: node.0,
        name: OpaqueSlice(name),
        cookie,
        name_attributes: attributes.map(|attributes| translate::fattr(signer.share, attributes)),
        // Without attributes the node may be gone, or the caller may not look it up: then there is no handle either.
        name_handle: attributes.and_then(|_| translate::fh(&signer.handle(node))),
    }
}

/// Whether `dircount` leaves room for an entry; the first one always has it.
fn fits(dircount: usize, name: &[u8], list: &BoundedList<'_>) -> bool {
    list.entries() == 0 || dircount_bytes(name.len()) <= dircount
}

fn spend(dircount: &mut usize, name: &[u8], list: &BoundedList<'_>) -> bool {
    let fits = fits(*dircount, name, list);
    *dircount = dircount.saturating_sub(dircount_bytes(name.len()));
    fits
}

#[cfg(test)]
mod tests;
