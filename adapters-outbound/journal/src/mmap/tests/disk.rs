//! A disk in memory that knows what is durable, loses power, and fails.

use std::{
    collections::HashMap,
    io::{self, ErrorKind},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;

use super::super::files::{File, Folder};
use super::super::map::Map;

const SECTOR: usize = 512;

/// Random numbers that a seed determines.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

pub(super) struct Disk {
    state: Mutex<State>,
    me: Weak<Disk>,
}

#[derive(Default)]
struct State {
    names: HashMap<String, usize>,
    durable_names: HashMap<String, usize>,
    /// Whole tables of names that no sync has covered, oldest first.
    pending_names: Vec<HashMap<String, usize>>,
    files: Vec<Content>,
    faults: Faults,
    operations: u64,
}

#[derive(Clone, Default)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<(u64, Vec<u8>)>,
}

/// The faults of the disk.
#[derive(Clone, Default)]
pub(super) struct Faults {
    /// The power fails after so many operations.
    pub(super) power_ends_at: Option<u64>,
    /// A sync returns without having done anything.
    pub(super) syncs_off: bool,
    /// So many syncs of data fail; what they should have written never gets to the disk.
    pub(super) failing_syncs: u32,
    /// Of a failed sync's bytes from this many behind the file's start on nothing can be read back either.
    pub(super) forgets_from: Option<usize>,
    /// Writes fail like this, half done.
    pub(super) writes_fail: Option<ErrorKind>,
    /// Those that fail were done all the same.
    pub(super) failed_is_written: bool,
    /// Syncs of data fail like this; what they should have written never gets to the disk.
    pub(super) syncs_fail: Option<ErrorKind>,
}

impl Disk {
    pub(super) fn new() -> Arc<Disk> {
        Disk::of(State::default())
    }

    fn of(state: State) -> Arc<Disk> {
        Arc::new_cyclic(|me| Disk { state: Mutex::new(state), me: me.clone() })
    }

    pub(super) fn fail(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.state.lock().faults);
    }

    pub(super) fn operations(&self) -> u64 {
        self.state.lock().operations
    }

    /// Returns the disk as it is when the power comes back.
    pub(super) fn after_power_cut(&self, dice: &mut Dice) -> Arc<Disk> {
        let state = self.state.lock();
        let survived = dice.below(state.pending_names.len() as u64 + 1) as usize;
        let names = survived.checked_sub(1).map_or(&state.durable_names, |last| &state.pending_names[last]).clone();
        let percent = [0, 10, 50, 90, 100][dice.below(5) as usize];
        let files = state.files.iter().map(|file| file.after_power_cut(percent, dice)).collect();
        Disk::of(State { names: names.clone(), durable_names: names, files, ..State::default() })
    }

    /// Changes bytes of a file behind the journal's back.
    pub(super) fn spoil(&self, name: &str, at: usize, bytes: &[u8]) {
        let mut state = self.state.lock();
        let file = state.names[name];
        let content = &mut state.files[file];
        content.now[at..at + bytes.len()].copy_from_slice(bytes);
        content.durable = content.now.clone();
    }

    pub(super) fn bytes(&self, name: &str) -> Vec<u8> {
        let state = self.state.lock();
        state.files[state.names[name]].now.clone()
    }

    fn operate<T>(&self, act: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state.lock();
        if state.faults.power_ends_at.is_some_and(|end| state.operations >= end) {
            return Err(io::Error::other("no power"));
        }
        state.operations += 1;
        act(&mut state)
    }

    fn file(&self, index: usize) -> Arc<dyn File> {
        Arc::new(DiskFile { disk: self.me.upgrade().unwrap(), index })
    }
}

impl Content {
    fn after_power_cut(&self, percent: u64, dice: &mut Dice) -> Content {
        let mut durable = self.durable.clone();
        for (at, bytes) in &self.pending {
            let mut from = 0;
            while from < bytes.len() {
                let start = *at as usize + from;
                let to = bytes.len().min(from + SECTOR - start % SECTOR);
                if dice.below(100) < percent {
                    put(&mut durable, start, &bytes[from..to]);
                }
                from = to;
            }
        }
        Content { now: durable.clone(), durable, pending: Vec::new() }
    }

    fn make_durable(&mut self) {
        for (at, bytes) in std::mem::take(&mut self.pending) {
            put(&mut self.durable, at as usize, &bytes);
        }
    }
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let length = content.len().max(at + bytes.len());
    content.resize(length, 0);
    content[at..at + bytes.len()].copy_from_slice(bytes);
}

impl State {
    fn renamed(&mut self) {
        self.pending_names.push(self.names.clone());
    }
}

impl Folder for Disk {
    fn names(&self) -> io::Result<Vec<String>> {
        self.operate(|state| Ok(state.names.keys().cloned().collect()))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let index = self.operate(|state| state.names.get(name).copied().ok_or(ErrorKind::NotFound.into()))?;
        Ok(self.file(index))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let index = self.operate(|state| {
            state.files.push(Content::default());
            state.names.insert(name.to_owned(), state.files.len() - 1);
            state.renamed();
            Ok(state.files.len() - 1)
        })?;
        Ok(self.file(index))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.operate(|state| {
            let file = state.names.remove(from).ok_or(ErrorKind::NotFound)?;
            state.names.insert(to.to_owned(), file);
            state.renamed();
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.operate(|state| {
            state.names.remove(name).ok_or(ErrorKind::NotFound)?;
            state.renamed();
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.operate(|state| {
            if !state.faults.syncs_off {
                state.pending_names.clear();
                state.durable_names = state.names.clone();
            }
            Ok(())
        })
    }

    fn room(&self) -> u64 {
        u64::MAX
    }
}

struct DiskFile {
    disk: Arc<Disk>,
    index: usize,
}

impl File for DiskFile {
    fn length(&self) -> io::Result<u64> {
        self.disk.operate(|state| Ok(state.files[self.index].now.len() as u64))
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        self.disk.operate(|state| {
            let file = &mut state.files[self.index];
            put(&mut file.now, length as usize, &[]);
            file.pending.push((length, Vec::new()));
            Ok(())
        })
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.disk.operate(|state| {
            let (failure, is_done) = (state.faults.writes_fail, state.faults.failed_is_written);
            let file = &mut state.files[self.index];
            // A write that fails has got half way.
            let written = if failure.is_some() && !is_done { &bytes[..bytes.len() / 2] } else { bytes };
            put(&mut file.now, at as usize, written);
            file.pending.push((at, written.to_vec()));
            failure.map_or(Ok(()), |kind| Err(kind.into()))
        })
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        self.disk.operate(|state| {
            let bytes = state.files[self.index].now.get(at as usize..).unwrap_or_default();
            let bytes = bytes.get(..buffer.len()).ok_or(ErrorKind::UnexpectedEof)?;
            buffer.copy_from_slice(bytes);
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.operate(|state| {
            let Faults { syncs_off, forgets_from, syncs_fail, .. } = state.faults;
            let file = &mut state.files[self.index];
            if state.faults.failing_syncs > 0 || syncs_fail.is_some() {
                state.faults.failing_syncs = state.faults.failing_syncs.saturating_sub(1);
                file.pending.clear();
                if let Some(from) = forgets_from {
                    file.now[from..].copy_from_slice(&file.durable[from..]);
                }
                return Err(syncs_fail.map_or_else(|| io::Error::other("the disk failed"), io::Error::from));
            }
            if !syncs_off {
                file.make_durable();
            }
            Ok(())
        })
    }

    fn map(&self) -> io::Result<Option<Map>> {
        Ok(None)
    }
}
