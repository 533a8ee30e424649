//! How segments and records look on disk; `docs/decisions/0007-journal-format.md`.

use bytes::Bytes;
use dittofs_domain::crc32c::{crc32c, crc32c_append};
use dittofs_domain::{Epoch, NodeId, Sequence, Timestamp};
use dittofs_ports::Record;

/// The version that is written, and the newest that is read.
pub(super) const VERSION: u16 = 1;
/// Where the first record of a segment is.
pub(super) const SEGMENT_HEAD: u64 = 4_096;
/// The second copy of a segment's head.
pub(super) const SEGMENT_HEAD_COPY: usize = 2_048;
const SEGMENT_HEAD_USED: usize = 60;
/// Before a record's payload.
pub(super) const RECORD_HEAD: usize = 96;
/// Records start at multiples of this.
pub(super) const ALIGNMENT: u64 = 32;

const SEGMENT_MAGIC: &[u8; 4] = b"DFJS";
const RECORD_MAGIC: &[u8; 4] = b"DFJR";

const WRITE: u8 = 1;
/// A write that is there once more, under the number of the first one.
const COPY: u8 = 8;
/// Payload: pairs (first number, count) of records that are released.
pub(super) const RELEASE: u8 = 6;
/// A number whose record is lost.
pub(super) const VOID: u8 = 7;

/// The id that distinguishes a journal from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalId(pub u128);

/// The head of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHead {
    pub(super) journal: JournalId,
    pub(super) number: u64,
    pub(super) incarnation: u64,
    pub(super) bytes: u64,
    /// The highest record known durable when the segment was prepared.
    pub(super) durable: u64,
}

/// The outcome of reading a segment's head.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Headed {
    Head(SegmentHead),
    Newer(u16),
    Bad,
}

impl SegmentHead {
    /// All bytes before the first record.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut one = Vec::with_capacity(SEGMENT_HEAD_USED);
        one.extend_from_slice(SEGMENT_MAGIC);
        one.extend_from_slice(&VERSION.to_le_bytes());
        one.extend_from_slice(&[0; 2]);
        one.extend_from_slice(&self.journal.0.to_le_bytes());
        for field in [self.number, self.incarnation, self.bytes, self.durable] {
            one.extend_from_slice(&field.to_le_bytes());
        }
        one.extend_from_slice(&crc32c(&one).to_le_bytes());
        let mut all = one.clone();
        all.resize(SEGMENT_HEAD_COPY, 0);
        all.extend_from_slice(&one);
        all.resize(SEGMENT_HEAD as usize, 0);
        all
    }

    /// From the bytes before the first record: either copy will do.
    pub(super) fn decode(bytes: &[u8]) -> Headed {
        let first = SegmentHead::decode_one(bytes);
        if first != Headed::Bad {
            return first;
        }
        bytes.get(SEGMENT_HEAD_COPY..).map_or(Headed::Bad, SegmentHead::decode_one)
    }

    fn decode_one(bytes: &[u8]) -> Headed {
        let mut fields = Fields(bytes);
        let crc_holds = bytes.get(..SEGMENT_HEAD_USED - 4).is_some_and(|covered| {
            Fields(bytes.get(SEGMENT_HEAD_USED - 4..).unwrap_or_default()).u32() == Some(crc32c(covered))
        });
        if !crc_holds || fields.array() != Some(*SEGMENT_MAGIC) {
            return Headed::Bad;
        }
        match fields.u16() {
            Some(VERSION) => {}
            Some(version) => return Headed::Newer(version),
            None => return Headed::Bad,
        }
        fields.u16();
        let head = (|| {
            Some(SegmentHead {
                journal: JournalId(u128::from_le_bytes(fields.array()?)),
                number: fields.u64()?,
                incarnation: fields.u64()?,
                bytes: fields.u64()?,
                durable: fields.u64()?,
            })
        })();
        head.map_or(Headed::Bad, Headed::Head)
    }

    /// Returns the seed of the checksums of the segment's records.
    pub(super) fn seed(&self) -> u32 {
        let seed = crc32c(&self.journal.0.to_le_bytes());
        crc32c_append(crc32c_append(seed, &self.number.to_le_bytes()), &self.incarnation.to_le_bytes())
    }
}

/// The head of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHead {
    pub(super) kind: u8,
    pub(super) payload: u32,
    pub(super) payload_crc: u32,
    pub(super) sequence: u64,
    pub(super) node: u64,
    pub(super) offset: u64,
    /// Of a copy: the number of the record that it is one of. Else 0.
    pub(super) copy_of: u64,
    pub(super) size: u64,
    pub(super) time: Timestamp,
    pub(super) epoch: u64,
    pub(super) durable: u64,
}

impl RecordHead {
    /// Of a record that has no number yet. None where its data are too long for any segment.
    pub(super) fn of(record: &Record) -> Option<RecordHead> {
        let kind = if record.copy_of.is_some() { COPY } else { WRITE };
        Some(RecordHead {
            node: record.node.0,
            offset: record.offset,
            copy_of: record.copy_of.unwrap_or_default().0,
            size: record.size,
            time: record.time,
            epoch: record.epoch.0,
            ..RecordHead::over(kind, &record.data)?
        })
    }

    /// Of a record with a payload.
    pub(super) fn over(kind: u8, payload: &[u8]) -> Option<RecordHead> {
        Some(RecordHead::bare(kind, u32::try_from(payload.len()).ok()?, crc32c(payload)))
    }

    /// Of a record of which nothing else is known; the checksum of no bytes is 0.
    pub(super) fn bare(kind: u8, payload: u32, payload_crc: u32) -> RecordHead {
        RecordHead {
            kind,
            payload,
            payload_crc,
            sequence: 0,
            node: 0,
            offset: 0,
            copy_of: 0,
            size: 0,
            time: Timestamp::EPOCH,
            epoch: 0,
            durable: 0,
        }
    }

    /// Whether a user of the journal appended it.
    pub(super) fn is_data(&self) -> bool {
        matches!(self.kind, WRITE | COPY)
    }

    /// The number by which users know it. `sequence` is that of its place in the log.
    pub(super) fn number(&self) -> u64 {
        if self.kind == COPY { self.copy_of } else { self.sequence }
    }

    /// Whether the journal appended it for itself.
    pub(super) fn is_own(&self) -> bool {
        matches!(self.kind, RELEASE | VOID)
    }

    /// Whether it leads to space being freed, and so may use what is kept for that.
    pub(super) fn frees(&self) -> bool {
        !self.is_data()
    }

    /// Bytes from the start of the record to that of the next.
    pub(super) fn span(&self) -> u64 {
        (RECORD_HEAD as u64 + u64::from(self.payload)).next_multiple_of(ALIGNMENT)
    }

    pub(super) fn encode(&self, seed: u32) -> [u8; RECORD_HEAD] {
        let mut bytes = Vec::with_capacity(RECORD_HEAD);
        bytes.extend_from_slice(RECORD_MAGIC);
        bytes.extend_from_slice(&[self.kind, 0, 0, 0]);
        bytes.extend_from_slice(&self.payload.to_le_bytes());
        bytes.extend_from_slice(&self.payload_crc.to_le_bytes());
        for field in [self.sequence, self.node, self.offset, self.copy_of, self.size] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(&self.time.seconds().to_le_bytes());
        bytes.extend_from_slice(&self.time.nanos().to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.epoch.to_le_bytes());
        bytes.extend_from_slice(&self.durable.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&crc32c_append(seed, &bytes).to_le_bytes());
        let mut head = [0; RECORD_HEAD];
        head.copy_from_slice(&bytes);
        head
    }

    /// None where the bytes are no head of a record of the segment with this seed.
    pub(super) fn decode(bytes: &[u8], seed: u32) -> Option<RecordHead> {
        if !bytes.starts_with(RECORD_MAGIC) {
            return None;
        }
        let covered = bytes.get(..RECORD_HEAD - 4)?;
        if Fields(bytes.get(RECORD_HEAD - 4..)?).u32()? != crc32c_append(seed, covered) {
            return None;
        }
        let mut fields = Fields(covered.get(4..)?);
        let [kind, ..] = fields.array::<4>()?;
        Some(RecordHead {
            kind,
            payload: fields.u32()?,
            payload_crc: fields.u32()?,
            sequence: fields.u64()?,
            node: fields.u64()?,
            offset: fields.u64()?,
            copy_of: fields.u64()?,
            size: fields.u64()?,
            time: {
                let (seconds, nanos) = (fields.u64()? as i64, fields.u32()?);
                fields.u32()?;
                Timestamp::new(seconds, nanos)?
            },
            epoch: fields.u64()?,
            durable: fields.u64()?,
        })
    }

    /// The record of a user. None for kinds that this version does not know.
    pub(super) fn record(&self, data: Bytes) -> Option<Record> {
        self.is_data().then(|| Record {
            node: NodeId(self.node),
            offset: self.offset,
            data,
            size: self.size,
            time: self.time,
            epoch: Epoch(self.epoch),
            copy_of: (self.kind == COPY).then_some(Sequence(self.copy_of)),
        })
    }
}

/// The payload of a release record: runs of numbers. The numbers must rise.
pub(super) fn encode_released(numbers: &[Sequence]) -> Vec<u8> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((first, count)) if *first + *count == number.0 => *count += 1,
            _ => runs.push((number.0, 1)),
        }
    }
    runs.iter().flat_map(|(first, count)| [first.to_le_bytes(), count.to_le_bytes()]).flatten().collect()
}

/// The runs (first, count) of a release record.
pub(super) fn decode_released(payload: &[u8]) -> impl Iterator<Item = (u64, u64)> {
    let mut fields = Fields(payload);
    std::iter::from_fn(move || Some((fields.u64()?, fields.u64()?)))
}

/// Takes numbers off the front of bytes.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}
