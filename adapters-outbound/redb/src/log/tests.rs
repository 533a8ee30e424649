use redb::backends::InMemoryBackend;

use super::{
    format::{RECORD_HEAD_LEN, record_len},
    *,
};

const MARK: Mark = Mark { store: 77, generation: 5, base: 100, clean: false, stamped: 0 };
const LEN: u64 = 64 << 10;

/// Storage that can be looked at and spoilt beside the log.
#[derive(Clone, Debug)]
struct Shared(std::sync::Arc<InMemoryBackend>);

impl StorageBackend for Shared {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

fn made() -> (Shared, Log) {
    let storage = Shared(InMemoryBackend::new().into());
    Log::create(&storage, MARK.store, LEN).unwrap();
    let log = Log::start(Box::new(storage.clone()), &MARK).unwrap();
    (storage, log)
}

fn payload(number: u64) -> Vec<u8> {
    vec![number as u8; 300]
}

/// A log with some records.
fn filled(count: u64) -> (Shared, Log) {
    let (storage, mut log) = made();
    for number in MARK.base + 1..=MARK.base + count {
        assert!(log.append(number, &payload(number)).unwrap());
    }
    (storage, log)
}

fn place(index: u64) -> u64 {
    HEAD_LEN + index * record_len(300) as u64
}

fn numbers(scanned: &Scanned) -> Vec<u64> {
    scanned.payloads().map(|payload| u64::from(payload[0])).collect()
}

fn read(storage: &Shared, mark: &Mark, done: u64) -> Scanned {
    Scanned::read(storage, mark, done).unwrap()
}

#[test]
fn what_was_appended_is_read_again_but_what_is_done() {
    let (storage, _) = filled(4);
    let scanned = read(&storage, &MARK, 100);
    assert_eq!(numbers(&scanned), [101, 102, 103, 104]);
    assert!(scanned.damaged.is_none() && scanned.payloads().all(|payload| payload.len() == 300));
    assert_eq!(numbers(&read(&storage, &MARK, 102)), [103, 104]);
    // The database closed itself after a failure, with a transaction that the log never got.
    assert_eq!(read(&storage, &MARK, 105).len(), 0);
}

#[test]
pub(crate) fn nothing_of_another_generation_or_base_is_read() {
    let (storage, mut log) = filled(4);
    assert_eq!(read(&storage, &MARK.next(104, false), 104).len(), 0);
    log.restart(&MARK.next(104, false));
    assert!(log.append(105, &payload(105)).unwrap());
    let scanned = read(&storage, &MARK.next(104, false), 104);
    assert_eq!(numbers(&scanned), [105]);
    assert!(scanned.damaged.is_none(), "older records behind it are no damage");
    assert!(matches!(Scanned::read(&storage, &MARK, 100), Err(Trouble::Ahead)));
}

#[test]
fn a_torn_tail_is_cut() {
    for torn in [0, 4, 36, RECORD_HEAD_LEN as u64, 300] {
        let (storage, _) = filled(3);
        storage.write(place(2) + torn, &[0xEE; 8]).unwrap();
        let scanned = read(&storage, &MARK, 100);
        assert_eq!(numbers(&scanned), [101, 102], "torn at {torn}");
        assert!(scanned.damaged.is_none());
    }
}

#[test]
pub(crate) fn a_bad_record_before_a_good_one_is_damage() {
    for bad in 0..3 {
        let (storage, _) = filled(4);
        storage.write(place(bad) + 5, &[0xEE]).unwrap();
        let scanned = read(&storage, &MARK, 100);
        assert_eq!(numbers(&scanned).len() as u64, bad);
        let found = scanned.damaged.expect("damage");
        assert!(found.contains(&format!("record {}", 101 + bad)), "{found}");
        assert!(read(&storage, &MARK, 104).damaged.is_none(), "all of it is in the database");
    }
}

#[test]
fn what_is_no_log_of_this_store_is_refused() {
    let (storage, _) = filled(1);
    let foreign = Mark { store: 78, ..MARK };
    assert!(matches!(Scanned::read(&storage, &foreign, 100), Err(Trouble::Foreign)));
    storage.write(0, b"x").unwrap();
    assert!(matches!(Scanned::read(&storage, &MARK, 100), Err(Trouble::Nonsense)));
    storage.set_len(100).unwrap();
    assert!(matches!(Scanned::read(&storage, &MARK, 100), Err(Trouble::Nonsense)));
}

#[test]
fn a_log_takes_what_fits_and_grows_up_to_a_bound() {
    let (storage, mut log) = made();
    assert!(log.is_empty() && log.fits(1_000) && !log.fits(LEN as usize));
    let mut count = 0;
    while log.fits(300) {
        count += 1;
        assert!(log.append(MARK.base + count, &payload(count)).unwrap());
    }
    assert_eq!(count, (LEN - HEAD_LEN) / record_len(300) as u64);
    assert_eq!(read(&storage, &MARK, 100).len() as u64, count);
    log.grow(LEN * 2).unwrap();
    assert_eq!(storage.len().unwrap(), LEN * 2);
    assert!(log.fits(300));
    log.grow(LEN * 2).unwrap();
    assert_eq!(storage.len().unwrap(), LEN * 2);
}
