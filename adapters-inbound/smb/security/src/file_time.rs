//! Points of time as the protocol writes them.

/// A point of time: units of 100 ns since the start of 1601, UTC (MS-DTYP 2.3.3 FILETIME).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FileTime(pub u64);
