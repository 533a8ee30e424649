use dittofs_domain::{Name, watch::ChangeAction};
use dittofs_ports::CaseRule;

use super::*;

const DIRECTORY: NodeId = NodeId(5);
const NAMES: ChangeKinds = ChangeKinds::FILE_NAME;

/// Counts how often it was told.
#[derive(Default)]
struct Listener(AtomicUsize);

impl ChangeListener for Listener {
    fn changed(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl Listener {
    fn told(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

fn caller(client: u64) -> Caller {
    Caller {
        credentials: Credentials::root(),
        opener: None,
        client: ClientId::Smb(client),
        case: CaseRule::Insensitive,
        parent_lease: None,
    }
}

fn add(table: &Arc<WatchTable>, client: u64, kinds: ChangeKinds, bytes_max: usize) -> FsResult<Arc<dyn Watch>> {
    add_for(table, client, kinds, bytes_max, Arc::default())
}

fn add_for(
    table: &Arc<WatchTable>,
    client: u64,
    kinds: ChangeKinds,
    bytes_max: usize,
    listener: Arc<Listener>,
) -> FsResult<Arc<dyn Watch>> {
    let request = WatchRequest { kinds, tree: false, bytes_max };
    WatchTable::add(table, Watched::new(&caller(client), DIRECTORY, &request, listener))
}

fn push(table: &WatchTable, name: &str) {
    let path = [Name::new(name.as_bytes()).unwrap()].into();
    let record = ChangeRecord { action: ChangeAction::Added, path, stream: None };
    let (watchers, _) = table.watchers(DIRECTORY, NAMES);
    watchers.iter().for_each(|watched| table.push(watched, std::slice::from_ref(&record)));
}

#[test]
fn what_is_wanted_is_what_those_who_are_there_want() {
    let table = Arc::<WatchTable>::default();
    assert!(table.is_empty());
    let sizes = add(&table, 1, ChangeKinds::SIZE, 100).unwrap();
    let both = add(&table, 1, ChangeKinds::SIZE | NAMES, 100).unwrap();
    let nothing = add(&table, 1, ChangeKinds::empty(), 100).unwrap();
    assert!(table.wants(NAMES) && table.wants(ChangeKinds::SIZE) && !table.wants(ChangeKinds::SECURITY));
    drop(both);
    assert!(!table.wants(NAMES) && table.wants(ChangeKinds::SIZE));
    drop(sizes);
    assert!(!table.wants(ChangeKinds::all()) && !table.is_empty());
    drop(nothing);
    assert!(table.is_empty() && table.watchers.lock().by_directory.is_empty());
}

#[test]
fn a_client_has_only_so_many_watches_and_leaves_room_for_others() {
    let table = Arc::<WatchTable>::default();
    let mut held: Vec<_> = (0..WATCHES_PER_CLIENT).map(|_| add(&table, 1, NAMES, 100).unwrap()).collect();
    assert_eq!(add(&table, 1, NAMES, 100).err(), Some(FsError::NoSpace));
    for client in 2..5 {
        held.extend((0..WATCHES_PER_CLIENT).map(|_| add(&table, client, NAMES, 100).unwrap()));
    }
    assert_eq!(add(&table, 9, NAMES, 100).err(), Some(FsError::NoSpace), "the share has no room");
    held.pop();
    drop(add(&table, 9, NAMES, 100).unwrap());
}

#[test]
fn bytes_are_kept_in_bounds_for_all_together_and_given_back() {
    let table = Arc::<WatchTable>::default();
    let watch = add(&table, 1, NAMES, 4 * BYTES_MAX).unwrap();
    let other = add(&table, 1, NAMES, 100).unwrap();
    push(&table, "a");
    table.bytes.fetch_add(BYTES_MAX, Ordering::AcqRel);
    push(&table, "b");
    assert_eq!(watch.take(), WatchReply::Overflowed);
    assert_eq!(other.take(), WatchReply::Overflowed);
    assert_eq!(table.bytes.load(Ordering::Acquire), BYTES_MAX);
    table.bytes.fetch_sub(BYTES_MAX, Ordering::AcqRel);
    push(&table, "c");
    assert!(matches!(watch.take(), WatchReply::Changes(records) if records.len() == 1));
    let (watchers, _) = table.watchers(DIRECTORY, NAMES);
    drop((watch, other));
    let record = ChangeRecord { action: ChangeAction::Added, path: [Name::new(b"d").unwrap()].into(), stream: None };
    watchers.iter().for_each(|watched| table.push(watched, std::slice::from_ref(&record)));
    assert_eq!(table.bytes.load(Ordering::Acquire), 0, "nothing is kept for who has gone");
}

#[test]
fn a_listener_is_told_once_until_its_watcher_has_taken_everything() {
    let (table, listener) = (Arc::<WatchTable>::default(), Arc::<Listener>::default());
    let watch = add_for(&table, 1, NAMES, 100, Arc::clone(&listener)).unwrap();
    push(&table, "a");
    push(&table, "b");
    assert_eq!(listener.told(), 1);
    assert!(matches!(watch.take(), WatchReply::Changes(records) if records.len() == 2));
    assert_eq!(watch.take(), WatchReply::Nothing);
    push(&table, "c");
    assert_eq!(listener.told(), 2);
}

#[test]
fn a_directory_that_does_not_go_after_all_is_watched_on() {
    let (table, listener) = (Arc::<WatchTable>::default(), Arc::<Listener>::default());
    let watch = add_for(&table, 1, NAMES, 100, Arc::clone(&listener)).unwrap();
    table.set_removed(DIRECTORY, true);
    assert_eq!((listener.told(), watch.take(), watch.take()), (1, WatchReply::Removed, WatchReply::Removed));
    table.set_removed(DIRECTORY, false);
    assert_eq!(watch.take(), WatchReply::Nothing);
    push(&table, "a");
    assert_eq!(listener.told(), 2);
    assert!(matches!(watch.take(), WatchReply::Changes(_)));
}

#[test]
fn nobody_watches_what_is_served_no_more() {
    let (table, listener) = (Arc::<WatchTable>::default(), Arc::<Listener>::default());
    let watch = add_for(&table, 1, NAMES, 100, Arc::clone(&listener)).unwrap();
    push(&table, "a");
    table.end();
    push(&table, "b");
    assert_eq!(watch.take(), WatchReply::Ended);
    assert_eq!(add(&table, 1, NAMES, 100).err(), Some(FsError::Stale));
}

#[test]
fn only_those_who_ask_for_it_list_anew() {
    let table = Arc::<WatchTable>::default();
    let (names, sizes) = (add(&table, 1, NAMES, 100).unwrap(), add(&table, 1, ChangeKinds::SIZE, 100).unwrap());
    table.overflow(ChangeKinds::SIZE);
    assert_eq!((names.take(), sizes.take()), (WatchReply::Nothing, WatchReply::Overflowed));
}

#[test]
fn a_generation_ends_when_a_watcher_comes_or_takes() {
    let table = Arc::<WatchTable>::default();
    let first = table.generation();
    let watch = add(&table, 1, NAMES, 100).unwrap();
    let second = table.generation();
    push(&table, "a");
    assert_eq!(table.generation(), second);
    watch.take();
    assert!(first < second && second < table.generation());
}

#[test]
fn the_two_of_a_rename_are_taken_together_and_wake_once() {
    let table = Arc::<WatchTable>::default();
    let listener = Arc::<Listener>::default();
    let watch = add_for(&table, 1, NAMES, 1_000, Arc::clone(&listener)).unwrap();
    let record = |action, name: &[u8]| ChangeRecord { action, path: [Name::new(name).unwrap()].into(), stream: None };
    let pair = [record(ChangeAction::RenamedFrom, b"a"), record(ChangeAction::RenamedTo, b"b")];
    let (watchers, _) = table.watchers(DIRECTORY, NAMES);
    watchers.iter().for_each(|watched| table.push(watched, &pair));
    assert_eq!(listener.0.load(Ordering::Acquire), 1);
    assert_eq!(watch.take(), WatchReply::Changes(pair.to_vec()));
}
