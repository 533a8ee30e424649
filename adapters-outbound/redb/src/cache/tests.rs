use dittofs_domain::Tree;

use super::*;
use crate::tables::Kind;

const SHARE: ShareId = ShareId(1);

fn key(number: u64) -> keys::Key {
    keys::node(SHARE, NodeId(number))
}

fn entry(number: u64) -> Row {
    Row::Entry(Some((NodeId(number), Cookie(number))))
}

/// A cache to which something has been published.
fn cache(bytes: usize) -> (RowCache, u64) {
    let cache = RowCache::new(bytes);
    assert_eq!(cache.epoch(), None, "nothing is published yet");
    let mut published = 0;
    cache.restart(|epoch| published = epoch);
    assert_eq!(cache.epoch(), Some(published));
    (cache, published)
}

fn len(cache: &RowCache) -> usize {
    cache.shards.iter().map(|shard| shard.read().len()).sum()
}

#[test]
fn a_row_of_an_older_snapshot_is_not_kept() {
    let (cache, epoch) = cache(1 << 20);
    cache.keep(epoch, Kind::Entry, &key(1), entry(1));
    assert_eq!(cache.row(Kind::Entry, &key(1)), Some(entry(1)));
    cache.advance(&Redo::default(), &[], |_| ());
    cache.keep(epoch, Kind::Entry, &key(2), entry(2));
    assert_eq!(cache.row(Kind::Entry, &key(2)), None);
    assert_eq!(cache.row(Kind::Entry, &key(1)), Some(entry(1)), "nothing has changed it");
}

#[test]
fn nothing_is_kept_or_trusted_while_the_next_state_is_made() {
    let (cache, epoch) = cache(1 << 20);
    cache.advance(&Redo::default(), &[], |next| {
        assert_eq!(cache.epoch(), None);
        assert!(!cache.is_at(epoch) && !cache.is_at(next));
        cache.keep(epoch, Kind::Entry, &key(1), entry(1));
        cache.keep(next, Kind::Entry, &key(1), entry(1));
    });
    assert_eq!(len(&cache), 0);
    cache.stop();
    assert_eq!(cache.epoch(), None);
}

#[test]
fn what_a_transaction_changes_is_replaced_or_forgotten() {
    let (cache, epoch) = cache(1 << 20);
    let directory = directory_key(SHARE, NodeId(9), Space::Children);
    let listing = |cookie| keys::listing(SHARE, NodeId(9), Space::Children, Cookie(cookie));
    let topology = keys::count(SHARE, Count::Topology);
    let row = Row::Map(Arc::new(MapRow::Holes { version: dittofs_domain::ContentVersion(0), pages: 1 }));
    cache.keep(epoch, Kind::Entry, &key(1), entry(1));
    cache.keep(epoch, Kind::Entry, &key(2), entry(2));
    cache.keep(epoch, Kind::Row, &key(3), row);
    cache.keep(epoch, Kind::Count, &topology, Row::Topology(4));
    cache.keep(epoch, Kind::Listing, &directory, Row::IsEmpty(true));
    let mut redo = Redo::default();
    redo.push(Kind::Entry, &key(1), None);
    redo.push(Kind::Entry, &key(2), Some(&codec::encode_entry(NodeId(7), Cookie(7), Tree::FIRST)));
    redo.push(Kind::Row, &key(3), Some(b"whatever"));
    redo.push(Kind::Count, &topology, Some(b"whatever"));
    redo.push(Kind::Listing, &listing(5), Some(b"whatever"));
    cache.advance(&redo, &[], |_| ());
    assert_eq!(cache.row(Kind::Entry, &key(1)), Some(Row::Entry(None)));
    assert_eq!(cache.row(Kind::Entry, &key(2)), Some(entry(7)));
    assert_eq!(cache.row(Kind::Row, &key(3)), None);
    assert_eq!(cache.row(Kind::Count, &topology), None);
    assert_eq!(cache.row(Kind::Listing, &directory), Some(Row::IsEmpty(false)));
    let mut redo = Redo::default();
    redo.push(Kind::Listing, &listing(5), None);
    cache.advance(&redo, &[], |_| ());
    assert_eq!(cache.row(Kind::Listing, &directory), None, "it may be empty now, or not");
}

#[test]
fn it_stays_within_its_bound_and_keeps_what_is_used() {
    let (cache, epoch) = cache(1 << 20);
    for number in 0..100_000 {
        cache.keep(epoch, Kind::Entry, &key(number), entry(number));
        assert_eq!(cache.row(Kind::Entry, &key(0)), Some(entry(0)), "used all the while, gone after {number}");
    }
    let bytes = len(&cache) * size_of::<shard::Kept>();
    assert!((1 << 18..=1 << 20).contains(&bytes), "{bytes} bytes");
    assert_eq!(cache.row(Kind::Entry, &key(1)), None, "the oldest has gone");
}

#[test]
fn a_cache_of_no_bytes_keeps_nothing() {
    let (cache, epoch) = cache(0);
    cache.keep(epoch, Kind::Entry, &key(1), entry(1));
    assert_eq!(len(&cache), 0);
}
