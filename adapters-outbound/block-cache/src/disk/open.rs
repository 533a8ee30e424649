//! Opening a folder: never over something else, and whatever is in the files.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    DiskCacheOptions,
    format::{FORMAT, MARK},
    index::Index,
    segment::{self, Segment},
    state::State,
    writer,
};

/// Says what the folder is, and is locked while it is used.
const MARK_NAME: &str = "dittofs-cache";
/// The mark of a folder is one short line.
const LINE_BYTES_MAX: u64 = 256;

/// Why a folder is not used as a cache. It has not been changed.
#[derive(Debug, thiserror::Error)]
pub enum DiskCacheError {
    /// It belongs to something else.
    #[error(
        "{} is not a cache: it holds {found}; configure an empty folder, or one that does not exist",
        path.display()
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// The contents that were found in it.
        found: String,
    },
    /// A newer release wrote it.
    #[error(
        "the cache in {} has format {found}, and this release knows formats up to {known}; start a newer release, or \
         remove the folder: nothing but time is lost",
        path.display()
    )]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that is known.
        known: u32,
    },
    /// Another process uses it.
    #[error("the cache in {} is used by another process; give each server a folder of its own", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
}

/// The reason why a folder can't be a cache.
enum Trouble {
    /// Somebody has to decide.
    Refused(DiskCacheError),
    /// The cache is off.
    Failed(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Failed(error)
    }
}

pub(super) fn open(options: &DiskCacheOptions) -> Result<State, DiskCacheError> {
    let limit = options.bytes.max(DiskCacheOptions::BYTES_MIN);
    match try_open(&options.path, limit) {
        Ok(state) => Ok(state),
        Err(Trouble::Refused(error)) => Err(error),
        Err(Trouble::Failed(error)) => {
            let state = State::new(options.path.clone(), None, limit, Index::new(0), 0);
            state.give_up("can't be opened", &error);
            Ok(state)
        }
    }
}

fn try_open(folder: &Path, limit: u64) -> Result<State, Trouble> {
    std::fs::create_dir_all(folder)?;
    let numbers = survey(folder)?;
    let lock = mark(folder)?;
    let next_number = numbers.last().map_or(1, |last| last.saturating_add(1));
    let first_number = numbers.first().copied().unwrap_or(next_number);
    let state = State::new(folder.to_owned(), lock, limit, Index::new(first_number), next_number);
    let rows_max = usize::try_from(writer::rows_max(&state)).unwrap_or(usize::MAX);
    let mut segments = Vec::new();
    let mut left = limit;
    // The newest first, as many as fit.
    for number in numbers.into_iter().rev() {
        match Segment::open(folder, number, rows_max) {
            Ok(Some((segment, rows, bytes))) if bytes <= left && segments.len() < state.segments_max() => {
                left -= bytes;
                segments.push((segment, rows, bytes));
            }
            // A segment that can't be read is worth nothing.
            Ok(_) | Err(_) => std::fs::remove_file(segment::path_of(folder, number))?,
        }
    }
    let mut index = state.index.lock();
    for (segment, rows, bytes) in segments.into_iter().rev() {
        index.push(Arc::new(segment), &rows, bytes);
    }
    tracing::info!(folder = %folder.display(), bytes = index.bytes(), "the disk cache is open");
    drop(index);
    Ok(state)
}

/// The numbers of the segments, in order. Anything else in a folder without a mark is somebody else's.
fn survey(folder: &Path) -> Result<Vec<u64>, Trouble> {
    let is_marked = folder.join(MARK_NAME).try_exists()?;
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        match name.to_str().and_then(segment::number_of) {
            Some(number) => numbers.push(number),
            None if is_marked || name == "lost+found" => {}
            None => {
                let (path, found) = (folder.to_owned(), name.display().to_string());
                return Err(Trouble::Refused(DiskCacheError::Foreign { path, found }));
            }
        }
    }
    numbers.sort_unstable();
    // Beyond these a number would not fit beside a frame's place.
    let newest = numbers.last().copied().unwrap_or(0);
    numbers.retain(|number| newest - number < u64::from(u32::MAX) / 2);
    Ok(numbers)
}

/// Locks the mark, and writes it where it is missing or makes no sense.
fn mark(folder: &Path) -> Result<Option<File>, Trouble> {
    let path = folder.join(MARK_NAME);
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Trouble::Refused(DiskCacheError::Locked { path: folder.to_owned() }));
        }
        Err(TryLockError::Error(error)) => return Err(Trouble::Failed(error)),
    }
    let mut line = String::new();
    let read = (&mut file).take(LINE_BYTES_MAX).read_to_string(&mut line);
    let format: Option<u32> = line.strip_suffix('\n').and_then(|line| line.strip_prefix(MARK)?.parse().ok());
    match format {
        Some(FORMAT) if read.is_ok() => return Ok(Some(file)),
        Some(found) if found > FORMAT => {
            return Err(Trouble::Refused(DiskCacheError::Newer { path: folder.to_owned(), found, known: FORMAT }));
        }
        _ => {}
    }
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(format!("{MARK}{FORMAT}\n").as_bytes())?;
    Ok(Some(file))
}
