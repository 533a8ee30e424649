//! The small file that says which journal this is and where its log starts and ends.

use std::io::{self, ErrorKind};

use dittofs_domain::{Epoch, crc32c::crc32c, ownership::Start};

use super::{
    files::Folder,
    format::{Fields, JournalId, VERSION},
};

const NAME: &str = "superblock";
const NAME_NEW: &str = "superblock.new";
const MAGIC: &[u8; 4] = b"DFJB";
/// More bytes than this are no superblock. Gaps are 40 bytes each, and one is added by each recovery and each failed
/// sync.
const BYTES_MAX: u64 = 1 << 20;

/// The facts that must be known before any segment is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Superblock {
    pub(super) journal: JournalId,
    /// Rises each time the journal is opened.
    pub(super) incarnation: u64,
    /// The first segment of the log.
    pub(super) oldest: u64,
    /// The number that the first record of the first segment has, or will have.
    pub(super) start: u64,
    /// The last segment of the log: all from the first to this one must be there.
    pub(super) prepared: u64,
    /// A number above all that were given when this was written.
    pub(super) next: u64,
    /// The highest record known durable.
    pub(super) durable: u64,
    /// Where the log does not simply go on.
    pub(super) gaps: Vec<Gap>,
    /// The last start of a server that noted itself; earlier releases wrote none, and leave it out.
    pub(super) start_noted: Option<Start>,
}

/// A point of the log after which it goes on elsewhere: behind a truncated tail, a failed sync or a loss that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// The point: segment and offset.
    pub(super) from: (u64, u64),
    /// Where it goes on.
    pub(super) to: (u64, u64),
    /// The number of the record there.
    pub(super) next: u64,
}

/// The reason why there is no superblock.
#[derive(Debug)]
pub(super) enum NoSuperblock {
    Missing,
    Newer(u16),
    Damaged,
    Io(io::Error),
}

impl Superblock {
    /// A log that is empty, whose first record will have this number or a greater one.
    pub(super) fn new(journal: JournalId, first: u64) -> Superblock {
        Superblock {
            journal,
            incarnation: 0,
            oldest: 1,
            start: first,
            prepared: 0,
            next: first,
            durable: 0,
            gaps: Vec::new(),
            start_noted: None,
        }
    }

    pub(super) fn read(folder: &dyn Folder) -> Result<Superblock, NoSuperblock> {
        let file = match folder.open(NAME) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(NoSuperblock::Missing),
            Err(error) => return Err(NoSuperblock::Io(error)),
        };
        let length = file.length().map_err(NoSuperblock::Io)?;
        if length > BYTES_MAX {
            return Err(NoSuperblock::Damaged);
        }
        let mut bytes = vec![0; length as usize];
        file.read_at(&mut bytes, 0).map_err(NoSuperblock::Io)?;
        Superblock::decode(&bytes)
    }

    /// Replaces the old one, or leaves it, whatever happens in between.
    pub(super) fn write(&self, folder: &dyn Folder) -> io::Result<()> {
        let file = folder.create(NAME_NEW)?;
        file.write_at(&self.encode(), 0)?;
        file.sync_data()?;
        folder.rename(NAME_NEW, NAME)?;
        folder.sync()
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&self.journal.0.to_le_bytes());
        let fields = [self.incarnation, self.oldest, self.start, self.prepared, self.next, self.durable];
        let gaps = self.gaps.iter().flat_map(|gap| [gap.from.0, gap.from.1, gap.to.0, gap.to.1, gap.next]);
        let noted = self.start_noted.iter().flat_map(|start| [start.epoch.0, start.nonce]);
        for field in fields.into_iter().chain([self.gaps.len() as u64]).chain(gaps).chain(noted) {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(&crc32c(&bytes).to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Superblock, NoSuperblock> {
        let (covered, crc) = bytes.split_last_chunk::<4>().ok_or(NoSuperblock::Damaged)?;
        if crc32c(covered) != u32::from_le_bytes(*crc) {
            return Err(NoSuperblock::Damaged);
        }
        let mut fields = Fields(covered);
        if fields.array() != Some(*MAGIC) {
            return Err(NoSuperblock::Damaged);
        }
        let version = fields.u16().ok_or(NoSuperblock::Damaged)?;
        if version != VERSION {
            return Err(NoSuperblock::Newer(version));
        }
        Superblock::decode_fields(&mut fields).ok_or(NoSuperblock::Damaged)
    }

    fn decode_fields(fields: &mut Fields<'_>) -> Option<Superblock> {
        fields.u16()?;
        let mut superblock = Superblock {
            journal: JournalId(u128::from_le_bytes(fields.array()?)),
            incarnation: fields.u64()?,
            oldest: fields.u64()?,
            start: fields.u64()?,
            prepared: fields.u64()?,
            next: fields.u64()?,
            durable: fields.u64()?,
            gaps: Vec::new(),
            start_noted: None,
        };
        for _ in 0..fields.u64()? {
            let from = (fields.u64()?, fields.u64()?);
            let to = (fields.u64()?, fields.u64()?);
            superblock.gaps.push(Gap { from, to, next: fields.u64()? });
        }
        superblock.start_noted =
            fields.u64().zip(fields.u64()).map(|(epoch, nonce)| Start { epoch: Epoch(epoch), nonce });
        Some(superblock)
    }

    /// Adds a gap, in place of one at the same point, and forgets those before the log's start.
    pub(super) fn bridge(&mut self, gap: Gap) {
        self.gaps.retain(|old| old.from != gap.from);
        self.gaps.push(gap);
        self.prune();
    }

    pub(super) fn prune(&mut self) {
        self.gaps.retain(|gap| gap.from.0 >= self.oldest);
    }
}
