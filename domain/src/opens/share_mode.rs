//! Share modes: what an open does, and what it lets others do meanwhile.

use bitflags::bitflags;

bitflags! {
    /// The kinds of access that share modes are about.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub struct ShareAccess: u8 {
        /// Reading or executing content.
        const READ = 1;
        /// Writing, extending or truncating content.
        const WRITE = 2;
        /// Removing or renaming the node.
        const DELETE = 4;
    }
}

impl ShareAccess {
    /// Of a file: holding it for an open of one of its streams. No share mode denies it, so it is not among
    /// [`ShareAccess::all`]; other than an open of attributes, an open for it denies what it says.
    pub const STREAM: ShareAccess = ShareAccess::from_bits_retain(8);
}

/// The access that an open is for, and the access that it denies to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct ShareMode {
    /// The access that the open is for. Empty for an open of attributes only.
    pub access: ShareAccess,
    /// The access that others may not have while the open lasts.
    pub deny: ShareAccess,
}

impl ShareMode {
    /// Whether two opens cannot exist at once: one does what the other denies. An open of attributes only neither
    /// denies anything nor is denied (MS-FSA, 2.1.5.1.2.2).
    pub const fn conflicts(self, other: ShareMode) -> bool {
        if self.access.is_empty() || other.access.is_empty() {
            return false;
        }
        self.access.intersects(other.deny) || other.access.intersects(self.deny)
    }
}

/// The number of opens that have and deny each kind of access. With it, the usual open finds that there is no conflict
/// without looking at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct ShareCounts {
    access: [u32; 3],
    deny: [u32; 3],
}

impl ShareCounts {
    pub(super) fn add(&mut self, mode: ShareMode) {
        self.each(mode, |count| *count += 1);
    }

    pub(super) fn remove(&mut self, mode: ShareMode) {
        self.each(mode, |count| *count -= 1);
    }

    /// Whether there can be an open that conflicts with `mode`.
    pub(super) fn may_conflict(&self, mode: ShareMode) -> bool {
        !mode.access.is_empty()
            && BITS.iter().enumerate().any(|(i, bit)| {
                (mode.access.contains(*bit) && self.deny[i] > 0) || (mode.deny.contains(*bit) && self.access[i] > 0)
            })
    }

    /// Puts the opens of another count in.
    pub(super) fn merge(&mut self, more: &ShareCounts) {
        for i in 0..BITS.len() {
            self.access[i] += more.access[i];
            self.deny[i] += more.deny[i];
        }
    }

    /// Takes the opens of another count out, which are all in this one.
    pub(super) fn subtract(&mut self, part: &ShareCounts) {
        for i in 0..BITS.len() {
            self.access[i] -= part.access[i];
            self.deny[i] -= part.deny[i];
        }
    }

    /// Returns the access that at least one open has.
    pub(super) fn access(&self) -> ShareAccess {
        BITS.iter().zip(self.access).filter(|(_, count)| *count > 0).map(|(bit, _)| *bit).collect()
    }

    fn each(&mut self, mode: ShareMode, change: impl Fn(&mut u32)) {
        if mode.access.is_empty() {
            return;
        }
        for (i, bit) in BITS.iter().enumerate() {
            if mode.access.contains(*bit) {
                change(&mut self.access[i]);
            }
            if mode.deny.contains(*bit) {
                change(&mut self.deny[i]);
            }
        }
    }
}

const BITS: [ShareAccess; 3] = [ShareAccess::READ, ShareAccess::WRITE, ShareAccess::DELETE];
