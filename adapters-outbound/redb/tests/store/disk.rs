//! One disk for database and log that knows what is durable, loses power, and fails to sync.

use std::{
    io,
    sync::{Arc, Mutex},
};

use dittofs_redb::Part;
use redb::StorageBackend;

const SECTOR: usize = 512;

/// Random numbers that a seed determines.
#[derive(Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// The disk.
#[derive(Clone, Debug)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    files: [Content; 2],
    faults: Faults,
    operations: u64,
    dice: Dice,
}

#[derive(Clone, Debug, Default)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// Writes, truncations and extensions since the last sync.
    pending: Vec<Pending>,
    /// So many of them were there when a sync that is late was answered.
    answered: usize,
    /// A sync has failed: `now` shows what will never reach the disk.
    is_false: bool,
}

#[derive(Clone, Debug)]
enum Pending {
    Write(usize, Vec<u8>),
    Len(usize),
}

/// The faults of the disk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// The power fails after so many operations.
    pub(crate) power_ends_at: Option<u64>,
    /// The first sync after so many operations fails.
    pub(crate) sync_fails_at: Option<u64>,
    /// Syncs of the database, of the log: return without having done anything.
    pub(crate) syncs_off: [bool; 2],
    /// The log's syncs are answered before they happen: each happens with the next one.
    pub(crate) log_syncs_late: bool,
}

impl Disk {
    pub(crate) fn new(seed: u64) -> Disk {
        Disk::of([Content::default(), Content::default()], seed)
    }

    fn of(files: [Content; 2], seed: u64) -> Disk {
        Disk(Arc::new(Mutex::new(State { files, faults: Faults::default(), operations: 0, dice: Dice(seed) })))
    }

    pub(crate) fn fail(&self, faults: Faults) {
        let mut state = self.0.lock().unwrap();
        state.faults = faults;
        state.operations = 0;
    }

    /// Operations since the disk was made, or since faults were set.
    pub(crate) fn operations(&self) -> u64 {
        self.0.lock().unwrap().operations
    }

    /// Storage of one file. After a failed sync it is what really is on the disk.
    pub(crate) fn open(&self, part: Part) -> io::Result<DiskFile> {
        let file = part as usize;
        self.operate(|state| {
            let content = &mut state.files[file];
            if std::mem::take(&mut content.is_false) {
                content.now = content.durable.clone();
                content.pending.clear();
            }
            Ok(())
        })?;
        Ok(DiskFile { disk: self.clone(), file })
    }

    /// Returns the disk as it is when the power comes back.
    pub(crate) fn after_power_cut(&self, dice: &mut Dice) -> Disk {
        let state = self.0.lock().unwrap();
        let files = state.files.each_ref().map(|file| file.after_power_cut(dice));
        Disk::of(files, dice.below(u64::MAX))
    }

    fn operate<T>(&self, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.0.lock().unwrap();
        if state.faults.power_ends_at.is_some_and(|end| state.operations >= end) {
            return Err(io::Error::other("no power"));
        }
        state.operations += 1;
        act(&mut state)
    }
}

impl Content {
    fn after_power_cut(&self, dice: &mut Dice) -> Content {
        let mut durable = self.durable.clone();
        if !self.is_false {
            let percent = [0, 10, 50, 90, 100][dice.below(5) as usize];
            self.pending.iter().for_each(|pending| pending.reach(&mut durable, percent, dice));
        }
        Content { now: durable.clone(), durable, ..Content::default() }
    }

    /// Makes durable only now what the last such sync was to make durable.
    fn sync_late(&mut self) {
        let later = self.pending.split_off(self.answered.min(self.pending.len()));
        self.sync();
        self.answered = later.len();
        self.pending = later;
    }

    fn sync(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            pending.reach(&mut self.durable, 100, &mut Dice(0));
        }
    }
}

impl Pending {
    /// Reaches the disk with this chance, sector by sector.
    fn reach(&self, durable: &mut Vec<u8>, percent: u64, dice: &mut Dice) {
        match self {
            Pending::Len(len) if dice.below(100) < percent => durable.resize(*len, 0),
            Pending::Len(_) => {}
            Pending::Write(at, bytes) => {
                let mut from = 0;
                while from < bytes.len() {
                    let start = at + from;
                    let to = bytes.len().min(from + SECTOR - start % SECTOR);
                    if dice.below(100) < percent {
                        durable.resize(durable.len().max(at + to), 0);
                        durable[start..at + to].copy_from_slice(&bytes[from..to]);
                    }
                    from = to;
                }
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct DiskFile {
    disk: Disk,
    file: usize,
}

impl DiskFile {
    fn operate<T>(&self, act: impl FnOnce(&mut Content) -> T) -> io::Result<T> {
        self.disk.operate(|state| Ok(act(&mut state.files[self.file])))
    }
}

impl StorageBackend for DiskFile {
    fn len(&self) -> io::Result<u64> {
        self.operate(|content| content.now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.operate(|content| {
            let found = content.now.get(offset as usize..offset as usize + out.len());
            found.map(|found| out.copy_from_slice(found)).ok_or(io::ErrorKind::UnexpectedEof.into())
        })?
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.operate(|content| {
            content.now.resize(len as usize, 0);
            content.pending.push(Pending::Len(len as usize));
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        let file = self.file;
        self.disk.operate(|state| {
            if state.faults.sync_fails_at.is_some_and(|at| state.operations > at) {
                state.faults.sync_fails_at = None;
                let survived = state.files[file].after_power_cut(&mut state.dice).durable;
                let content = &mut state.files[file];
                content.durable = survived;
                content.is_false = true;
                return Err(io::ErrorKind::TimedOut.into());
            }
            if state.faults.log_syncs_late && file == Part::Log as usize {
                state.files[file].sync_late();
            } else if !state.faults.syncs_off[file] {
                state.files[file].sync();
            }
            Ok(())
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.operate(|content| {
            let at = offset as usize;
            content.now.resize(content.now.len().max(at + data.len()), 0);
            content.now[at..at + data.len()].copy_from_slice(data);
            content.pending.push(Pending::Write(at, data.to_vec()));
        })
    }
}
