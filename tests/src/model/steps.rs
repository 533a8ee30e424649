//! Random sequences of operations.
//!
//! A step names what it works on by a number that is resolved against the model when it is run: so a sequence still
//! means something after steps were taken out of it.

use dittofs_domain::{
    content::{CHUNK_BYTES, FILE_BYTES_MAX, FRAME_BYTES, PAGE_BYTES},
    namespace::{CreateHow, InitialAttributes, NewKind, SetAttributes, SetTime},
    node::Device,
};
use dittofs_ports::{Seek, Stability};

use super::Random;
use crate::world::SteppedClock;

/// A number that is resolved to a node or a name.
pub(super) type Pick = u32;

/// An operation.
#[derive(Clone, Debug)]
pub enum Op {
    /// Makes a node.
    #[allow(missing_docs)]
    Create { directory: Pick, name: Pick, kind: NewKind, how: CreateHow, attributes: InitialAttributes },
    /// Gives a node another name.
    #[allow(missing_docs)]
    Link { node: Pick, directory: Pick, name: Pick },
    /// Takes a name away.
    #[allow(missing_docs)]
    Remove { directory: Pick, name: Pick, is_directory: bool },
    /// Renames.
    #[allow(missing_docs)]
    Rename { from: Pick, from_name: Pick, to: Pick, to_name: Pick },
    /// Sets attributes, with a guard that matches or does not.
    #[allow(missing_docs)]
    SetAttributes { node: Pick, request: SetAttributes, guard: Option<bool> },
    /// Looks a name up; `.` and `..` too.
    #[allow(missing_docs)]
    Lookup { directory: Pick, name: Pick },
    /// Asks what may be done.
    Access(Pick),
    /// Reads a symlink.
    ReadLink(Pick),
    /// Lists a directory in pages of so many entries.
    #[allow(missing_docs)]
    List { directory: Pick, page: usize },
    /// Reads bytes.
    #[allow(missing_docs)]
    Read { node: Pick, offset: u64, length: u32 },
    /// Writes bytes that follow from a seed.
    #[allow(missing_docs)]
    Write { node: Pick, offset: u64, length: usize, seed: u64, stability: Stability },
    /// Makes a range a hole.
    #[allow(missing_docs)]
    Punch { node: Pick, offset: u64, length: u64 },
    /// Makes a file reach to the end of a range.
    #[allow(missing_docs)]
    Allocate { node: Pick, offset: u64, length: u64 },
    /// Looks for data or for a hole.
    #[allow(missing_docs)]
    Seek { node: Pick, offset: u64, what: Seek },
    /// Asks where a range has data, for so many runs at a time.
    #[allow(missing_docs)]
    Ranges { node: Pick, offset: u64, length: u64, page: usize },
    /// Clones a range; a length of 0 is to the end.
    #[allow(missing_docs)]
    Clone { source: Pick, offset: u64, length: u64, destination: Pick, at: u64 },
    /// Makes what was written durable.
    Commit(Pick),
    /// Flushes everything.
    Flush,
    /// Lets so many milliseconds pass for the share's own tasks, and none for the time of day.
    Pass(u64),
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which of the callers.
    pub caller: usize,
    /// How the clock moves before, in nanoseconds.
    pub clock: i64,
    /// The operation.
    pub op: Op,
}

const MODES: [u16; 16] = [
    0o644, 0o755, 0o600, 0o777, 0o000, 0o400, 0o222, 0o111, 0o070, 0o007, 0o1777, 0o2775, 0o4755, 0o6711, 0o2644,
    0o3770,
];
/// Sometimes the one that nobody has.
const IDS: [u32; 9] = [0, 1_001, 1_002, 1_003, 0, 1_001, 1_002, 1_003, u32::MAX];

/// The steps of a seed.
pub fn sequence(seed: u64, length: usize) -> Vec<Step> {
    let mut random = Random::new(seed);
    let mut steps = Vec::with_capacity(length);
    for (caller, mode) in [0o777, 0o1777, 0o2777].into_iter().enumerate() {
        let attributes = InitialAttributes { mode: Some(mode), ..InitialAttributes::default() };
        let (kind, how) = (NewKind::Directory, CreateHow::Guarded);
        let op = Op::Create { directory: 1, name: random.pick() | 3, kind, how, attributes };
        steps.push(Step { caller, clock: 1_000, op });
    }
    while steps.len() < length {
        steps.push(random.step());
    }
    steps
}

impl Random {
    fn step(&mut self) -> Step {
        let clock = match self.below(12) {
            0 => -(self.below(3_600_000_000_000) as i64),
            1 | 2 => 0,
            3 => self.below(3_600_000_000_000) as i64,
            _ => self.below(1_000_000) as i64,
        };
        Step { caller: self.of(&[0, 0, 1, 1, 2, 3]), clock, op: self.op() }
    }

    fn pick(&mut self) -> Pick {
        self.bits() as u32
    }

    fn op(&mut self) -> Op {
        match self.below(100) {
            0..20 => self.create(),
            20..24 => Op::Link { node: self.pick(), directory: self.pick(), name: self.pick() },
            24..32 => Op::Remove { directory: self.pick(), name: self.pick(), is_directory: self.one_in(4) },
            32..40 => Op::Rename { from: self.pick(), from_name: self.pick(), to: self.pick(), to_name: self.pick() },
            40..52 => self.set_attributes(),
            52..55 => Op::Lookup { directory: self.pick(), name: self.pick() },
            55..57 => Op::Access(self.pick()),
            57..59 => Op::ReadLink(self.pick()),
            59..61 => Op::List { directory: self.pick(), page: 1 + self.below(6) as usize },
            61..67 => Op::Read { node: self.pick(), offset: self.offset(), length: self.length() as u32 },
            67..81 => Op::Write {
                node: self.pick(),
                offset: if self.one_in(200) { FILE_BYTES_MAX - 5 } else { self.offset() },
                length: if self.one_in(30) { 0 } else { self.length() },
                seed: self.bits(),
                stability: self.of(&[Stability::Unstable, Stability::Unstable, Stability::Data, Stability::File]),
            },
            81..91 => self.sparse(),
            91..93 => Op::Commit(self.pick()),
            93..96 => Op::Flush,
            _ => Op::Pass(self.of(&[0, 1, 700, 6_000, 40_000])),
        }
    }

    fn sparse(&mut self) -> Op {
        let node = self.pick();
        let offset = self.offset();
        let length = self.stretch();
        match self.below(10) {
            0..3 => Op::Punch { node, offset, length },
            3 => Op::Allocate { node, offset: if self.one_in(8) { FILE_BYTES_MAX } else { offset }, length },
            4 => Op::Seek { node, offset, what: self.of(&[Seek::Data, Seek::Hole]) },
            5 => Op::Ranges { node, offset, length, page: 1 + self.below(3) as usize },
            _ => {
                let destination = if self.one_in(4) { node } else { self.pick() };
                let at = if self.one_in(12) { FILE_BYTES_MAX - 5 } else { self.offset() };
                let (offset, length) = match self.below(6) {
                    0..2 => (0, 0),
                    2 => (offset, 0),
                    // Files are short: most ranges must begin near their start, or they would be refused.
                    3..5 => (self.below(3_000), 1 + self.below(3_000)),
                    _ => (offset, length),
                };
                Op::Clone { source: node, offset, length, destination, at }
            }
        }
    }

    /// The length of a range that is not written.
    fn stretch(&mut self) -> u64 {
        match self.below(8) {
            0 => 0,
            1 => 3 * PAGE_BYTES,
            2 => u64::from(FRAME_BYTES),
            3 => CHUNK_BYTES,
            _ => self.length() as u64,
        }
    }

    fn create(&mut self) -> Op {
        let bits = self.of(&[8, 12, 13, 20, 21]);
        let device = Device { major: self.below(1 << 12) as u32, minor: self.below(1 << bits) as u32 };
        let kind = match self.below(16) {
            0..8 => NewKind::File,
            8..12 => NewKind::Directory,
            12 => {
                let length = self.of(&[0, 1, 30, 4_095, 4_096]);
                NewKind::Symlink(self.bytes(length).into())
            }
            13 => NewKind::Fifo,
            14 => NewKind::Socket,
            _ if self.one_in(2) => NewKind::BlockDevice(device),
            _ => NewKind::CharDevice(device),
        };
        let how = match self.below(3) {
            _ if kind != NewKind::File => CreateHow::Guarded,
            0 => CreateHow::Guarded,
            1 => CreateHow::Unchecked,
            _ => CreateHow::Exclusive([self.below(3) as u8; 8]),
        };
        let attributes = match how {
            CreateHow::Exclusive(_) => InitialAttributes::default(),
            _ => InitialAttributes {
                mode: Some(self.of(&MODES)).filter(|_| !self.one_in(8)),
                uid: Some(self.of(&IDS)).filter(|_| self.one_in(4)),
                gid: Some(self.of(&IDS)).filter(|_| self.one_in(4)),
                size: Some(self.size()).filter(|_| self.one_in(5)),
                atime: self.time(),
                mtime: self.time(),
            },
        };
        Op::Create { directory: self.pick(), name: self.pick(), kind, how, attributes }
    }

    fn set_attributes(&mut self) -> Op {
        let request = SetAttributes {
            mode: Some(self.of(&MODES)).filter(|_| self.one_in(3)),
            uid: Some(self.of(&IDS)).filter(|_| self.one_in(6)),
            gid: Some(self.of(&IDS)).filter(|_| self.one_in(6)),
            size: Some(self.size()).filter(|_| self.one_in(2)),
            atime: self.time(),
            mtime: self.time(),
            ..SetAttributes::default()
        };
        let guard = self.one_in(5).then(|| self.one_in(2));
        Op::SetAttributes { node: self.pick(), request, guard }
    }

    fn time(&mut self) -> SetTime {
        match self.below(8) {
            0 => SetTime::Now,
            1 => SetTime::To(SteppedClock::START.plus_ms(self.below(1 << 40))),
            _ => SetTime::Keep,
        }
    }

    fn size(&mut self) -> u64 {
        match self.below(40) {
            0..4 => FILE_BYTES_MAX + 1,
            4 => FILE_BYTES_MAX,
            5 => (1 << 40) + self.below(5),
            6..10 => 0,
            _ => self.offset(),
        }
    }

    /// An offset where something might go wrong, or any other.
    fn offset(&mut self) -> u64 {
        let near = self.below(6_000);
        match self.below(16) {
            0..6 => near,
            6..9 => (1 + self.below(3)) * PAGE_BYTES - 3_000 + near,
            9 => u64::from(FRAME_BYTES) * (1 + self.below(9)) - 3_000 + near,
            10 | 11 => CHUNK_BYTES - 3_000 + near,
            12 => CHUNK_BYTES - PAGE_BYTES / 2,
            13 => self.below(3) * PAGE_BYTES,
            _ => self.below(3 * PAGE_BYTES),
        }
    }

    fn length(&mut self) -> usize {
        match self.below(20) {
            0 => 1 + self.below(PAGE_BYTES + 300_000) as usize,
            1..4 => 1 + self.below(300_000) as usize,
            4..8 => 1 + self.below(5) as usize,
            _ => 1 + self.below(9_000) as usize,
        }
    }
}
