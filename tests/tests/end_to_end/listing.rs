//! READDIR and READDIRPLUS over a large directory, in small pages, while entries come, go and change their names.

use std::collections::BTreeMap;

use dittofs_tests::{
    rpc::{Credential, NFS, RpcConnection},
    server::Server,
};
use nfs3_client::nfs3_types::nfs3::*;

use crate::session::{Session, place, root_session, status};

const ENTRIES: usize = 5_000;

fn name(number: usize) -> Vec<u8> {
    format!("entry {number}").into_bytes()
}

/// Makes the entries over a pipelined connection, which is quicker.
fn fill(server: &Server, directory: &nfs_fh3) {
    let mut connection = RpcConnection::open(server.address(), Credential::user(0, 0), 1);
    for batch in 0..ENTRIES / 50 {
        for number in batch * 50..(batch + 1) * 50 {
            let name = name(number);
            let how = createhow3::GUARDED(sattr3::default());
            let arguments = CREATE3args { where_: place(directory, &name), how };
            connection.queue(NFS, NFS_PROGRAM::NFSPROC3_CREATE as u32, &arguments);
        }
        connection.send().unwrap();
        for _ in 0..50 {
            connection.receive().unwrap().results::<CREATE3res>().unwrap();
        }
    }
}

/// One page of READDIR or READDIRPLUS: names with file ids and cookies, and whether it is the last.
async fn page(
    session: &mut Session,
    dir: &nfs_fh3,
    cookie: u64,
    bytes: u32,
    plus: bool,
) -> (Vec<entry3<'static>>, bool) {
    let (dir, cookieverf) = (dir.clone(), cookieverf3::default());
    if !plus {
        let page = session.readdir(&READDIR3args { dir, cookie, cookieverf, count: bytes }).await.unwrap().unwrap();
        assert!(page.dir_attributes.is_some());
        assert_eq!(page.cookieverf, cookieverf3::default());
        return (page.reply.entries.0, page.reply.eof);
    }
    let arguments = READDIRPLUS3args { dir, cookie, cookieverf, dircount: bytes, maxcount: bytes };
    let page = session.readdirplus(&arguments).await.unwrap().unwrap();
    let entries = page.reply.entries.0.into_iter().map(|entry| {
        let dots = matches!(entry.name.as_ref(), b"." | b"..");
        assert!(dots || entry.name_handle.is_some());
        match entry.name_attributes {
            Nfs3Option::Some(attributes) => assert_eq!(attributes.fileid, entry.fileid),
            Nfs3Option::None => assert!(dots),
        }
        entry3 { fileid: entry.fileid, name: entry.name, cookie: entry.cookie }
    });
    (entries.collect(), page.reply.eof)
}

pub(crate) async fn list(session: &mut Session, directory: &nfs_fh3, bytes: u32, plus: bool) -> BTreeMap<Vec<u8>, u64> {
    let (mut cookie, mut listed) = (0, BTreeMap::new());
    loop {
        let (entries, last) = page(session, directory, cookie, bytes, plus).await;
        assert!(last || !entries.is_empty());
        for entry in entries {
            cookie = entry.cookie;
            let again = listed.insert(entry.name.0.to_vec(), entry.fileid);
            assert!(again.is_none(), "{} twice", entry.name.0.escape_ascii());
        }
        if last {
            return listed;
        }
    }
}

#[tokio::test]
async fn all_entries_are_listed_once_in_pages_of_any_size() {
    let (server, mut session) = root_session().await;
    let root = session.root.clone();
    let directory = session.make_directory(&root, b"directory", 0o755).await;
    fill(&server, &directory);
    let (this, parent) = (session.attributes_of(&directory).await.fileid, session.attributes_of(&root).await.fileid);
    let mut first = None;
    for (bytes, plus) in [(512, false), (1 << 20, false), (1024, true), (8192, true), (1 << 20, true)] {
        let listed = list(&mut session, &directory, bytes, plus).await;
        assert_eq!(listed.len(), ENTRIES + 2);
        assert_eq!((listed[&b"."[..]], listed[&b".."[..]]), (this, parent));
        assert_eq!(first.get_or_insert_with(|| listed.clone()), &listed);
    }
    let (cookieverf, dir) = (cookieverf3::default(), directory.clone());
    let tiny = session.readdir(&READDIR3args { dir, cookie: 0, cookieverf, count: 40 }).await.unwrap();
    assert_eq!(status(&tiny), nfsstat3::NFS3ERR_TOOSMALL);
    let file = session.find(&directory, &name(0)).await.unwrap();
    let refused = session.readdir(&READDIR3args { dir: file, cookie: 0, cookieverf, count: 512 }).await.unwrap();
    assert_eq!(status(&refused), nfsstat3::NFS3ERR_NOTDIR);
}

#[tokio::test]
async fn a_reply_has_no_more_bytes_than_were_asked_for() {
    let (server, session) = root_session().await;
    let root = session.root.clone();
    fill(&server, &root);
    let mut connection = RpcConnection::open(server.address(), Credential::user(0, 0), 1);
    for bytes in [512u32, 1000, 4096, 65_536] {
        let cookieverf = cookieverf3::default();
        let arguments = READDIR3args { dir: root.clone(), cookie: 0, cookieverf, count: bytes };
        connection.queue(NFS, NFS_PROGRAM::NFSPROC3_READDIR as u32, &arguments);
        let arguments = READDIRPLUS3args { dir: root.clone(), cookie: 0, cookieverf, dircount: bytes, maxcount: bytes };
        connection.queue(NFS, NFS_PROGRAM::NFSPROC3_READDIRPLUS as u32, &arguments);
        connection.send().unwrap();
        for _ in 0..2 {
            // The reply's head, which is not counted, has 24 bytes; the status 4.
            let reply = connection.receive().unwrap();
            assert!(reply.bytes.len() <= bytes as usize + 28, "{} bytes for {bytes}", reply.bytes.len());
        }
    }
}

/// An entry that stays all the time is listed exactly once. An entry that goes before the listing reaches it is not.
#[tokio::test]
async fn a_listing_goes_on_while_entries_come_go_and_are_renamed() {
    for plus in [false, true] {
        let (server, mut session) = root_session().await;
        let root = session.root.clone();
        fill(&server, &root);
        let (mut cookie, mut listed, mut touched) = (0, BTreeMap::new(), BTreeMap::new());
        for round in 0.. {
            let (entries, last) = page(&mut session, &root, cookie, 2_000, plus).await;
            for entry in &entries {
                cookie = entry.cookie;
                let again = listed.insert(entry.name.0.to_vec(), entry.fileid);
                assert!(again.is_none(), "{} twice", entry.name.0.escape_ascii());
            }
            if last {
                break;
            }
            // The one at the cursor goes; one anywhere goes; one anywhere gets another name; one comes.
            let cursor = entries.last().unwrap().name.0.to_vec();
            if !cursor.starts_with(b".") {
                session.remove_file(&root, &cursor).await.unwrap();
                touched.insert(cursor, None);
            }
            let gone = name(round * 1_237 % ENTRIES);
            let was_listed = listed.contains_key(&gone);
            if session.remove_file(&root, &gone).await.is_done() {
                touched.insert(gone, Some(was_listed));
            }
            let moved = name(round * 2_711 % ENTRIES);
            let other = [b"renamed from ", &moved[..]].concat();
            if session.move_to((&root, &moved), (&root, &other)).await.is_done() {
                touched.insert(moved, None);
            }
            session.make_file(&root, format!("new {round}").as_bytes(), 0o644).await;
        }
        for number in 0..ENTRIES {
            let name = name(number);
            match touched.get(&name) {
                None => assert!(listed.contains_key(&name), "{} is missing", name.escape_ascii()),
                Some(Some(false)) => assert!(!listed.contains_key(&name), "{} was gone", name.escape_ascii()),
                Some(_) => {}
            }
        }
        assert!(touched.len() > 100, "{} touched", touched.len());
    }
}

/// Whether a change happened; if it did not, then because there was nothing to change.
trait Done {
    fn is_done(&self) -> bool;
}

impl<T, E> Done for Nfs3Result<T, E> {
    fn is_done(&self) -> bool {
        match status(self) {
            nfsstat3::NFS3_OK => true,
            nfsstat3::NFS3ERR_NOENT => false,
            other => panic!("{other}"),
        }
    }
}
