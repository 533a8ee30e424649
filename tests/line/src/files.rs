use bytes::Bytes;
use dittofs_domain::{
    Cookie, Name,
    error::FsResult,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind},
};
use dittofs_ports::{Entered, EntryService, ListRequest, LookupName, Presented, Stability};

use crate::command::Command;

/// Entries of one look into a directory.
const ENTRIES_MAX: usize = 256;
/// The bytes that a reply may have. Of longer files and longer listings it is the beginning.
pub(crate) const REPLY_BYTES_MAX: usize = 64 << 10;
const MODE: u16 = 0o644;

/// Carries a command out. Returns a number, and what comes after it.
pub(crate) async fn carry_out(
    entry: &dyn EntryService,
    who: &Presented,
    command: Command<'_>,
) -> FsResult<(usize, Bytes)> {
    match command {
        Command::List(path) => list(entry, who, path).await,
        Command::Read(path) => read(entry, who, path).await,
        Command::Write(path, text) => write(entry, who, path, text).await,
    }
}

async fn list(entry: &dyn EntryService, who: &Presented, path: &[u8]) -> FsResult<(usize, Bytes)> {
    let Entered { node, caller, share } = entry.mount(path, who).await?;
    let directory = node.node;
    let mut request = ListRequest { directory, after: Cookie::START, entries_max: ENTRIES_MAX, with_attributes: false };
    let (mut count, mut names) = (0, Vec::new());
    loop {
        let listed = share.list(&caller, &request).await?;
        for entry in &listed.entries {
            if names.len() + entry.name.as_bytes().len() >= REPLY_BYTES_MAX {
                return Ok((count, names.into()));
            }
            count += 1;
            names.extend_from_slice(entry.name.as_bytes());
            names.push(b'\n');
        }
        match listed.entries.last() {
            Some(last) if !listed.complete => request.after = last.cookie,
            _ => return Ok((count, names.into())),
        }
    }
}

async fn read(entry: &dyn EntryService, who: &Presented, path: &[u8]) -> FsResult<(usize, Bytes)> {
    let (parent, name) = place(path)?;
    let Entered { node, caller, share } = entry.mount(parent, who).await?;
    let found = share.lookup(&caller, node.node, &LookupName::Child(name)).await?;
    let reply = share.read(&caller, found.node.node, 0, REPLY_BYTES_MAX as u32).await?;
    let mut bytes = reply.data.concat();
    let length = bytes.len();
    bytes.push(b'\n');
    Ok((length, bytes.into()))
}

async fn write(entry: &dyn EntryService, who: &Presented, path: &[u8], text: &[u8]) -> FsResult<(usize, Bytes)> {
    let (parent, name) = place(path)?;
    let Entered { node, caller, share } = entry.mount(parent, who).await?;
    let attributes = InitialAttributes { mode: Some(MODE), size: Some(0), ..InitialAttributes::default() };
    let how = CreateHow::Unchecked;
    let request = CreateRequest { directory: node.node, name, kind: NewKind::File, attributes, how };
    let made = share.create(&caller, &request, None).await?;
    if !text.is_empty() {
        share.write(&caller, made.node.node, 0, Bytes::copy_from_slice(text), Stability::File).await?;
    }
    Ok((text.len(), Bytes::new()))
}

/// The directory of a path, and the name in it.
fn place(path: &[u8]) -> FsResult<(&[u8], Name)> {
    let at = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    let (parent, name) = path.split_at(at);
    Ok((parent, Name::new(name.strip_prefix(b"/").unwrap_or(name))?))
}
