use bytes::Bytes;
use dittofs_domain::{
    Cookie, Name,
    error::FsResult,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind},
};
use dittofs_ports::{Caller, ListRequest, LookupName, NodeRef, Presented, Stability};
use dittofs_transport::Services;

use crate::command::Command;

/// Entries of one look into a directory.
const ENTRIES_MAX: usize = 256;
/// The bytes that a reply may have. Of longer files and longer listings it is the beginning.
pub(crate) const REPLY_BYTES_MAX: usize = 64 << 10;
const MODE: u16 = 0o644;

/// Carries a command out. Returns a number, and what comes after it.
pub(crate) async fn carry_out(services: &Services, who: &Presented, command: Command<'_>) -> FsResult<(usize, Bytes)> {
    match command {
        Command::List(path) => list(services, who, path).await,
        Command::Read(path) => read(services, who, path).await,
        Command::Write(path, text) => write(services, who, path, text).await,
    }
}

async fn list(services: &Services, who: &Presented, path: &[u8]) -> FsResult<(usize, Bytes)> {
    let (directory, caller) = directory(services, who, path).await?;
    let mut request = ListRequest { directory, after: Cookie::START, entries_max: ENTRIES_MAX, with_attributes: false };
    let (mut count, mut names) = (0, Vec::new());
    loop {
        let listed = services.metadata.list(&caller, &request).await?;
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

async fn read(services: &Services, who: &Presented, path: &[u8]) -> FsResult<(usize, Bytes)> {
    let (parent, name) = place(path)?;
    let (directory, caller) = directory(services, who, parent).await?;
    let found = services.metadata.lookup(&caller, directory, &LookupName::Child(name)).await?;
    let node = directory.sibling(found.node.node);
    let reply = services.block.read(&caller, node, 0, REPLY_BYTES_MAX as u32).await?;
    let mut bytes = reply.data.concat();
    let length = bytes.len();
    bytes.push(b'\n');
    Ok((length, bytes.into()))
}

async fn write(services: &Services, who: &Presented, path: &[u8], text: &[u8]) -> FsResult<(usize, Bytes)> {
    let (parent, name) = place(path)?;
    let (directory, caller) = directory(services, who, parent).await?;
    let attributes = InitialAttributes { mode: Some(MODE), size: Some(0), ..InitialAttributes::default() };
    let how = CreateHow::Unchecked;
    let request = CreateRequest { directory: directory.node, name, kind: NewKind::File, attributes, how };
    let made = services.metadata.create(&caller, directory.share, &request, None).await?;
    let file = directory.sibling(made.node.node);
    if !text.is_empty() {
        services.block.write(&caller, file, 0, Bytes::copy_from_slice(text), Stability::File).await?;
    }
    Ok((text.len(), Bytes::new()))
}

/// The directory at a path, with the caller as its share admits it.
async fn directory(services: &Services, who: &Presented, path: &[u8]) -> FsResult<(NodeRef, Caller)> {
    let found = services.metadata.mount(path, who).await?;
    let handle = services.metadata.handle_signer(found.share)?.handle(found.node);
    services.metadata.enter(&handle.to_bytes(), who)
}

/// The directory of a path, and the name in it.
fn place(path: &[u8]) -> FsResult<(&[u8], Name)> {
    let at = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    let (parent, name) = path.split_at(at);
    Ok((parent, Name::new(name.strip_prefix(b"/").unwrap_or(name))?))
}
