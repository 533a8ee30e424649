//! The files that hold segments, one after another.

use std::{io, sync::Arc};

use super::{
    files::{File, Folder},
    map::Map,
};

const PREFIX: &str = "segment-";
/// Zeros are written in pieces of this size. As a large sequential write, which a disk does at full speed, without
/// keeping a segment of zeros in memory.
const ZEROS: usize = 1 << 20;
/// The space that a new segment leaves free on the disk. The metadata need the last of a disk (decision 0006).
const ROOM_KEPT: u64 = 32 << 20;

/// The contents with which a new file is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filling {
    /// Zeros: only blocks that were once written are synced without the file system's own journal, at a tenth of the
    /// time.
    Zeros,
    /// Nothing: a file that will seldom be synced takes less time than the zeros would.
    Nothing,
}

/// A file that holds a segment. Whoever reads from it keeps a share; it takes another segment only when there is none.
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) file: Arc<dyn File>,
    pub(super) map: Option<Map>,
    pub(super) bytes: u64,
    /// The folder stays locked as long as anything of it is read.
    _folder: Arc<dyn Folder>,
}

impl Slot {
    /// Opens a slot that has its full length.
    pub(super) fn open(folder: &Arc<dyn Folder>, name: &str) -> io::Result<Slot> {
        let file = folder.open(name)?;
        Slot::new(folder, name, file)
    }

    fn new(folder: &Arc<dyn Folder>, name: &str, file: Arc<dyn File>) -> io::Result<Slot> {
        let (bytes, map) = (file.length()?, file.map()?);
        Ok(Slot { name: name.to_owned(), file, map, bytes, _folder: Arc::clone(folder) })
    }

    /// Makes a file that has its room on the disk.
    pub(super) fn create(folder: &Arc<dyn Folder>, index: u64, bytes: u64, filling: Filling) -> io::Result<Slot> {
        let name = format!("{PREFIX}{index:06}");
        let made = Slot::make(folder, &name, bytes, filling);
        if made.is_err() {
            // An unfinished file must not stay and fill the disk.
            let _ = folder.remove(&name);
        }
        made
    }

    fn make(folder: &Arc<dyn Folder>, name: &str, bytes: u64, filling: Filling) -> io::Result<Slot> {
        // Not to the last byte: whoever fills the disk, the metadata beside it must still be able to free space.
        if folder.room() < bytes + ROOM_KEPT {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no room on the disk for another segment"));
        }
        let file = folder.create(name)?;
        file.allocate(bytes)?;
        if filling == Filling::Zeros {
            fill(&*file, bytes)?;
        }
        file.sync_data()?;
        folder.sync()?;
        Slot::new(folder, name, file)
    }

    /// The index in the name of a slot's file.
    pub(super) fn index(name: &str) -> Option<u64> {
        name.strip_prefix(PREFIX)?.parse().ok()
    }
}

fn fill(file: &dyn File, bytes: u64) -> io::Result<()> {
    let zeros = vec![0; ZEROS];
    let mut at = 0;
    while at < bytes {
        let len = (bytes - at).min(ZEROS as u64);
        file.write_at(zeros.get(..len as usize).unwrap_or_default(), at)?;
        at += len;
    }
    Ok(())
}
