//! Listing a directory in pages while it changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use dittofs_domain::{
    Cookie, NodeId, NodeKind,
    namespace::{RemoveKind, RemoveRequest, RenameRequest},
    plan::{Change, Plan, Space},
};
use dittofs_ports::{Listing, MetadataStore};

use super::{
    Fixture,
    dump::record,
    fixture::{child, name, time},
    request::{Act, Request, fresh},
};

async fn list(fixture: &Fixture, directory: NodeId, after: Cookie, max: usize) -> Listing {
    fixture.share.list(directory, Space::Children, after, max, false).await.unwrap()
}

/// A directory with files `0`, `1`, … between two others with files of their own.
async fn directory(fixture: &Fixture, files: usize) -> NodeId {
    let before = fixture.add(NodeId::ROOT, "before", NodeKind::Directory).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    let after = fixture.add(NodeId::ROOT, "after", NodeKind::Directory).await;
    for index in 0..files {
        // Names run against cookies.
        fixture.add(directory, &format!("{:05}", files - index), NodeKind::File).await;
    }
    for neighbour in [before, after] {
        fixture.add(neighbour, "neighbour", NodeKind::File).await;
    }
    directory
}

pub async fn a_listing_comes_in_the_order_of_cookies_in_pages_of_any_size(
    open: impl AsyncFn() -> Arc<dyn MetadataStore>,
) {
    let fixture = Fixture::new(&open().await).await;
    let directory = directory(&fixture, 60).await;
    let all = fixture.entries(directory, 1_000).await;
    assert_eq!(all.len(), 60);
    assert!(all.is_sorted_by(|one, two| one.cookie < two.cookie));
    assert!(all.iter().all(|entry| entry.cookie > Cookie(2)), "0, 1 and 2 are never given out");
    for page in [1, 2, 7, 59, 60, 61] {
        assert_eq!(fixture.entries(directory, page).await, all, "in pages of {page}");
    }
    for entry in &all {
        let found = fixture.share.name_of(directory, entry.cookie).await.unwrap();
        assert_eq!(found, Some(entry.name.clone()));
        assert_eq!(fixture.share.name_of(NodeId::ROOT, entry.cookie).await.unwrap(), None);
    }
    let unknown = Cookie(fixture.number());
    assert_eq!(fixture.share.name_of(directory, unknown).await.unwrap(), None);
}

pub async fn the_last_page_says_that_it_is_the_last(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let directory = directory(&fixture, 10).await;
    assert!(!list(&fixture, directory, Cookie::START, 9).await.complete);
    assert!(list(&fixture, directory, Cookie::START, 10).await.complete);
    assert!(list(&fixture, directory, Cookie::START, 11).await.complete);
    let last = list(&fixture, directory, Cookie::START, 10).await.entries[9].cookie;
    for after in [last, Cookie(last.0 + 1), Cookie(i64::MAX as u64)] {
        let listing = list(&fixture, directory, after, 10).await;
        assert!(listing.complete && listing.entries.is_empty());
    }
    let file = fixture.add(NodeId::ROOT, "file", NodeKind::File).await;
    for nothing in [file, NodeId(fixture.number())] {
        let listing = list(&fixture, nothing, Cookie::START, 10).await;
        assert!(listing.complete && listing.entries.is_empty());
    }
}

pub async fn a_cookie_goes_on_after_its_entry_is_gone(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let directory = directory(&fixture, 30).await;
    let all = fixture.entries(directory, 100).await;
    for gone in [9, 10, 11, 29] {
        fixture.change(Change::DeleteEntry(child(directory, &all[gone].name.to_string()))).await;
    }
    let rest = list(&fixture, directory, all[9].cookie, 100).await;
    assert_eq!(rest.entries, all[12..29]);
    let rest = list(&fixture, directory, all[11].cookie, 1).await;
    assert_eq!(rest.entries, all[12..13]);
    let rest = list(&fixture, directory, all[29].cookie, 1).await;
    assert!(rest.entries.is_empty() && rest.complete);
    // The name comes again with another cookie: it is another entry.
    fixture.add(directory, &all[9].name.to_string(), NodeKind::File).await;
    let rest = list(&fixture, directory, all[28].cookie, 100).await;
    assert_eq!(rest.entries.len(), 1);
    assert_eq!(rest.entries[0].name, all[9].name);
}

async fn run(fixture: &Fixture, request: Request) {
    let credentials = dittofs_domain::Credentials::root();
    let act = Act { what: "listing", request, credentials, now: time(2_000), fresh: fresh(fixture) };
    act.run(fixture).await.unwrap();
}

fn rename(directory: NodeId, from: &str, to: &str) -> Request {
    Request::Rename(RenameRequest::new((directory, name(from)), (directory, name(to))))
}

pub async fn a_renamed_entry_keeps_its_cookie_inside_its_directory(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let directory = directory(&fixture, 200).await;
    let all = fixture.entries(directory, 1_000).await;
    // Whoever renames what it lists, as `mv` in a loop does, comes to an end.
    let (mut after, mut seen) = (Cookie::START, BTreeSet::new());
    loop {
        let listing = list(&fixture, directory, after, 3).await;
        for entry in &listing.entries {
            assert!(seen.insert(entry.node), "{} was listed twice", entry.name);
            run(&fixture, rename(directory, &entry.name.to_string(), &format!("new-{}", entry.name))).await;
        }
        after = listing.entries.last().map_or(after, |last| last.cookie);
        if listing.complete {
            break;
        }
    }
    let renamed = fixture.entries(directory, 1_000).await;
    assert_eq!(seen.len(), 200);
    for (old, new) in all.iter().zip(&renamed) {
        assert_eq!((old.cookie, old.node), (new.cookie, new.node));
        assert_eq!(new.name.to_string(), format!("new-{}", old.name));
    }
}

/// Adds, removes and renames in a directory until it is to stop; leaves what was there at first but for its names.
async fn stir(fixture: Fixture, directory: NodeId, lasting: Vec<String>, stop: Arc<AtomicBool>) {
    let mut names = lasting;
    let mut round = 0;
    while !stop.load(Ordering::Relaxed) {
        fixture.add(directory, &format!("guest-{round}"), NodeKind::File).await;
        if round >= 20 {
            let name = name(&format!("guest-{}", round - 20));
            let request = RemoveRequest { directory, name, kind: RemoveKind::NotDirectory };
            run(&fixture, Request::Remove(request, false)).await;
        }
        let index = round * 37 % names.len();
        let to = format!("renamed-{round}");
        run(&fixture, rename(directory, &names[index], &to)).await;
        names[index] = to;
        round += 1;
        tokio::task::yield_now().await;
    }
}

pub async fn what_is_there_all_the_while_is_listed_exactly_once(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let directory = directory(&fixture, 300).await;
    let all = fixture.entries(directory, 1_000).await;
    let lasting: BTreeSet<NodeId> = all.iter().map(|entry| entry.node).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let names = all.iter().map(|entry| entry.name.to_string()).collect();
    let stirring = tokio::spawn(stir(fixture.clone(), directory, names, stop.clone()));
    for round in 0..40 {
        let mut seen: BTreeMap<NodeId, usize> = BTreeMap::new();
        let (mut after, mut complete) = (Cookie::START, false);
        while !complete {
            let listing =
                fixture.share.list(directory, Space::Children, after, 1 + round % 13, round % 2 == 0).await.unwrap();
            assert!(listing.entries.is_sorted_by(|one, two| one.cookie < two.cookie));
            for entry in &listing.entries {
                assert!(entry.cookie > after, "a listing went back");
                *seen.entry(entry.node).or_default() += 1;
            }
            after = listing.entries.last().map_or(after, |last| last.cookie);
            complete = listing.complete;
            tokio::task::yield_now().await;
        }
        assert!(seen.values().all(|times| *times == 1), "a node was listed twice");
        assert!(lasting.iter().all(|node| seen.contains_key(node)), "an entry was skipped");
    }
    stop.store(true, Ordering::Relaxed);
    stirring.await.unwrap();
    fixture.dump().await.assert_tree();
}

pub async fn a_listing_with_records_has_each_entrys_node(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let directory = directory(&fixture, 30).await;
    fixture.add(directory, "sub", NodeKind::Directory).await;
    let second = Cookie(fixture.number());
    let node = fixture.entry(directory, "00001").await.unwrap().node.id;
    fixture.change(Change::InsertEntry { key: child(directory, "second name"), node, cookie: second }).await;
    let plain = list(&fixture, directory, Cookie::START, 100).await;
    assert!(plain.entries.iter().all(|entry| entry.record.is_none()));
    let with = fixture.share.list(directory, Space::Children, Cookie::START, 100, true).await.unwrap();
    assert_eq!(with.entries.len(), 32);
    for (entry, plain) in with.entries.iter().zip(&plain.entries) {
        assert_eq!((&entry.name, entry.cookie, entry.node), (&plain.name, plain.cookie, plain.node));
        assert_eq!(Some(record(entry)), fixture.node(entry.node).await);
    }
}

pub async fn a_listing_with_records_never_misses_a_node(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let directory = directory(&fixture, 1).await;
    let stop = Arc::new(AtomicBool::new(false));
    let stirring = tokio::spawn({
        let (fixture, stop) = (fixture.clone(), stop.clone());
        async move {
            let mut round = 0;
            while !stop.load(Ordering::Relaxed) {
                let text = format!("f{round}");
                let node = fixture.add(directory, &text, NodeKind::File).await;
                tokio::task::yield_now().await;
                let mut plan = Plan::at(time(2_000));
                plan.change(Change::DeleteEntry(child(directory, &text))).change(Change::DeleteNode(node));
                fixture.apply(plan).await;
                round += 1;
            }
        }
    });
    for _ in 0..3_000 {
        let listing = fixture.share.list(directory, Space::Children, Cookie::START, 10, true).await.unwrap();
        for entry in &listing.entries {
            assert_eq!(record(entry).id, entry.node);
        }
    }
    stop.store(true, Ordering::Relaxed);
    stirring.await.unwrap();
}
