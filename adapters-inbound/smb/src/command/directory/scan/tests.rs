use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bytes::{Buf, Bytes};
use dittofs_domain::{
    Attributes, ChangeId, Cookie, FoldTable, Name, NodeId, NodeKind, OpId, Timestamp,
    access::AccessMask,
    error::{FsError, FsResult},
    namespace::{CreateRequest, LinkRequest, RemoveRequest, RenameRequest, SetAttributes, SetXattrs, StreamRename},
    node::Device,
    xattr::Xattrs,
};
use dittofs_ports::{
    Caller, Changed, Created, Entry, Linked, ListReply, ListRequest, Lookup, LookupName, MetadataService, NamedStream,
    Renamed,
};
use dittofs_smb_wire::{
    NtStatus,
    info::{DirectoryClass, DirectoryPage, Pattern},
};
use proptest::prelude::*;

use super::{Page, Scan};
use crate::{listing::Next, names::shown, open::tests::node};

const DIRECTORY: NodeId = NodeId(10);
/// Bytes of the longest entry of the property test: a name of 20 surrogate pairs, with its ids and times.
const ENTRY_MAX: usize = 104 + 20 * 4;

fn fold(letter: char) -> char {
    FoldTable::NEWEST.fold_char(letter)
}

/// A directory with some names.
#[derive(Default)]
struct Directory {
    entries: Vec<Entry>,
    /// Entries that one call lists at most.
    part: usize,
    is_unsearchable: bool,
    calls: AtomicUsize,
}

impl Directory {
    fn new(names: &[String], part: usize) -> Directory {
        let entry = |(place, name): (usize, &String)| Entry {
            name: Name::new(name.as_bytes()).unwrap(),
            cookie: Cookie(100 + 3 * place as u64),
            node: NodeId(1_000 + place as u64),
            attributes: Some(attributes(NodeId(1_000 + place as u64), NodeKind::File)),
        };
        let entries = names.iter().enumerate().map(entry).collect();
        Directory { entries, part, ..Directory::default() }
    }
}

fn attributes(node: NodeId, kind: NodeKind) -> Attributes {
    Attributes {
        node,
        file: node,
        kind,
        mode: 0o755,
        uid: 1,
        gid: 1,
        links: 1,
        size: 5,
        used: 5,
        atime: Timestamp::EPOCH,
        mtime: Timestamp::EPOCH,
        ctime: Timestamp::EPOCH,
        birth: Timestamp::EPOCH,
        change: ChangeId(1),
        device: Device::default(),
        dos_attributes: 0,
        xattr_bytes: 0,
        acl: None,
    }
}

#[async_trait]
impl MetadataService for Directory {
    async fn attributes(&self, _: &Caller, node: NodeId) -> FsResult<Attributes> {
        Ok(attributes(node, NodeKind::Directory))
    }

    async fn lookup(&self, _: &Caller, directory: NodeId, name: &LookupName) -> FsResult<Lookup> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.is_unsearchable {
            return Err(FsError::Access);
        }
        let node = match name {
            LookupName::This => attributes(directory, NodeKind::Directory),
            LookupName::Parent => attributes(NodeId(5), NodeKind::Directory),
            LookupName::Child(name) => {
                let found = self.entries.iter().find(|entry| entry.name == *name).ok_or(FsError::NotFound)?;
                attributes(found.node, NodeKind::File)
            }
        };
        Ok(Lookup { node, name: name.child().cloned(), directory: attributes(directory, NodeKind::Directory) })
    }

    async fn list(&self, _: &Caller, request: &ListRequest) -> FsResult<ListReply> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let rest: Vec<&Entry> = self.entries.iter().filter(|entry| entry.cookie > request.after).collect();
        let count = rest.len().min(request.entries_max).min(self.part);
        let with_attributes = request.with_attributes && !self.is_unsearchable;
        let listed = rest[..count].iter().map(|entry| Entry {
            attributes: entry.attributes.clone().filter(|_| with_attributes),
            ..(*entry).clone()
        });
        Ok(ListReply {
            directory: attributes(request.directory, NodeKind::Directory),
            parent: NodeId(5),
            searchable: !self.is_unsearchable,
            entries: listed.collect(),
            complete: count == rest.len(),
        })
    }

    async fn access(&self, _: &Caller, _: NodeId) -> FsResult<(AccessMask, Attributes)> {
        Err(FsError::NotSupported)
    }

    async fn read_link(&self, _: &Caller, _: NodeId) -> FsResult<(Arc<[u8]>, Attributes)> {
        Err(FsError::NotSupported)
    }

    async fn create(&self, _: &Caller, _: &CreateRequest, _: Option<OpId>) -> FsResult<Created> {
        Err(FsError::NotSupported)
    }

    async fn link(&self, _: &Caller, _: &LinkRequest, _: Option<OpId>) -> FsResult<Linked> {
        Err(FsError::NotSupported)
    }

    async fn remove(&self, _: &Caller, _: &RemoveRequest, _: Option<OpId>) -> FsResult<Changed> {
        Err(FsError::NotSupported)
    }

    async fn rename(&self, _: &Caller, _: &RenameRequest, _: Option<OpId>) -> FsResult<Renamed> {
        Err(FsError::NotSupported)
    }

    async fn set_attributes(&self, _: &Caller, _: NodeId, _: &SetAttributes, _: Option<OpId>) -> FsResult<Changed> {
        Err(FsError::NotSupported)
    }

    async fn lookup_stream(&self, _: &Caller, _: NodeId, _: &Name) -> FsResult<Attributes> {
        Err(FsError::NotSupported)
    }

    async fn streams(&self, _: &Caller, _: NodeId) -> FsResult<Vec<NamedStream>> {
        Err(FsError::NotSupported)
    }

    async fn rename_stream(&self, _: &Caller, _: &StreamRename) -> FsResult<()> {
        Err(FsError::NotSupported)
    }

    async fn xattrs(&self, _: &Caller, _: NodeId, _: AccessMask) -> FsResult<Option<Arc<Xattrs>>> {
        Err(FsError::NotSupported)
    }

    async fn set_xattrs(&self, _: &Caller, _: NodeId, _: &SetXattrs, _: Option<OpId>) -> FsResult<Changed> {
        Err(FsError::NotSupported)
    }
}

/// One answer: its names, and where the listing stands.
fn page(
    directory: &Directory,
    pattern: &str,
    next: Next,
    (class, limit, is_single): (DirectoryClass, usize, bool),
) -> Result<(Vec<String>, Next), NtStatus> {
    let made = Pattern::new(pattern, &fold).unwrap();
    let (open, empty) = (node(DIRECTORY, true), DirectoryPage::new(class, limit).unwrap());
    let page = Page::new(empty, (class, limit), is_single);
    let mut scan = Scan::new(&open, (directory, NodeId::ROOT), (&made, FoldTable::NEWEST), next, page);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(scan.run(pattern)).map_err(|failure| failure.status)?;
    let (page, next) = scan.finish();
    let bytes = page.finish();
    assert!(bytes.len() <= limit);
    Ok((names(class, bytes), next))
}

fn names(class: DirectoryClass, mut bytes: Bytes) -> Vec<String> {
    let mut names = Vec::new();
    while !bytes.is_empty() {
        let next = bytes.slice(..).get_u32_le() as usize;
        let length = bytes.slice(if class == DirectoryClass::Names { 8 } else { 60 }..).get_u32_le() as usize;
        let start = class.fixed_length();
        let units = bytes[start..start + length].as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
        names.push(char::decode_utf16(units).map(Result::unwrap).collect());
        bytes.advance(if next == 0 { bytes.len() } else { next });
    }
    names
}

/// All answers up to the end.
fn listing(directory: &Directory, pattern: &str, shape: (DirectoryClass, usize, bool)) -> Vec<String> {
    let (mut all, mut next) = (Vec::new(), Next::This);
    loop {
        let (some, then) = page(directory, pattern, next, shape).unwrap();
        if some.is_empty() {
            assert_eq!(then, Next::End);
            return all;
        }
        all.extend(some);
        next = then;
    }
}

fn any_class() -> impl Strategy<Value = DirectoryClass> {
    prop::sample::select(vec![DirectoryClass::Names, DirectoryClass::BothDirectory, DirectoryClass::IdBothDirectory])
}

proptest! {
    #[test]
    fn every_name_comes_once_and_in_order(
        names in prop::collection::btree_set("[a-cA-C.ä😀]{3,20}", 0..30),
        part in 1usize..40,
        (class, limit, is_single) in (any_class(), ENTRY_MAX..2000, any::<bool>()),
        pattern in prop::sample::select(vec!["*", "a*", "*.*", "?", "<.b"]),
    ) {
        let names: Vec<String> = names.into_iter().collect();
        let directory = Directory::new(&names, part);
        let made = Pattern::new(pattern, &fold).unwrap();
        let wanted: Vec<String> = [".".to_owned(), "..".to_owned()]
            .into_iter()
            .chain(names.iter().map(|name| shown(&Name::new(name.as_bytes()).unwrap())))
            .filter(|name| made.matches(name, &fold))
            .collect();
        prop_assert_eq!(listing(&directory, pattern, (class, limit, is_single)), wanted);
    }
}

#[test]
fn a_whole_answer_takes_two_calls() {
    let names: Vec<String> = (0..300).map(|number| format!("file {number}")).collect();
    let directory = Directory::new(&names, usize::MAX);
    let (found, _) = page(&directory, "*", Next::This, (DirectoryClass::IdBothDirectory, 64 << 10, false)).unwrap();
    assert_eq!((found.len(), directory.calls.into_inner()), (302, 2));
}

#[test]
fn an_exact_name_is_looked_up() {
    let names = ["a".to_owned(), "b".to_owned()];
    let directory = Directory::new(&names, 1);
    let shape = (DirectoryClass::BothDirectory, 256, false);
    assert_eq!(page(&directory, "b", Next::This, shape), Ok((vec!["b".to_owned()], Next::End)));
    assert_eq!(page(&directory, "c", Next::This, shape), Ok((vec![], Next::End)));
    assert_eq!(directory.calls.load(Ordering::Relaxed), 2);
    assert_eq!(listing(&directory, "..", shape), [".."]);
}

#[test]
fn a_name_without_room_in_any_answer_is_refused_and_stays_next() {
    let directory = Directory::new(&["n".repeat(200)], 1);
    let (small, large) = ((DirectoryClass::Names, 300, false), (DirectoryClass::Names, 500, false));
    assert_eq!(listing(&directory, "n*", large).len(), 1);
    assert_eq!(page(&directory, "n*", Next::This, small), Err(NtStatus::BUFFER_OVERFLOW));
}

#[test]
fn who_may_not_search_a_directory_sees_names_and_what_has_gone_is_left_out() {
    let mut directory = Directory::new(&["a".to_owned(), "b".to_owned()], 9);
    directory.entries[0].attributes = None;
    let shape = (DirectoryClass::BothDirectory, 4096, false);
    assert_eq!(listing(&directory, "*", shape), [".", "..", "b"]);
    directory.is_unsearchable = true;
    assert_eq!(listing(&directory, "*", shape), [".", "..", "a", "b"]);
    assert_eq!(listing(&directory, "b", shape), ["b"]);
}

#[test]
fn others_have_their_turn_while_long_names_are_compared() {
    let names: Vec<String> = (100..400).map(|number| format!("{}{number}", "a".repeat(240))).collect();
    let (directory, text) = (Directory::new(&names, usize::MAX), "*?".repeat(500) + "b");
    let (pattern, open) = (Pattern::new(&text, &fold).unwrap(), node(DIRECTORY, true));
    let page =
        Page::new(DirectoryPage::new(DirectoryClass::Names, 4096).unwrap(), (DirectoryClass::Names, 4096), false);
    let mut scan = Scan::new(&open, (&directory, NodeId::ROOT), (&pattern, FoldTable::NEWEST), Next::This, page);
    let mut turns = 0;
    let others = async {
        loop {
            turns += 1;
            tokio::task::yield_now().await;
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        tokio::select! {
            biased;
            done = scan.run(&text) => assert!(done.is_ok()),
            () = others => {}
        }
    });
    assert!(turns >= 300, "{turns} turns");
}
