//! The record of a client: what it knows of its files.

use std::collections::BTreeMap;

/// Bytes that are compared at once.
const PIECE: usize = 4 << 10;

/// A write that the server may or may not have kept.
#[derive(Clone, Debug)]
pub(crate) struct Loose {
    pub(crate) offset: usize,
    pub(crate) data: Vec<u8>,
    /// The verifier that it was answered with; none if it was not answered.
    pub(crate) verifier: Option<[u8; 8]>,
}

/// A file.
#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    /// Bytes that must be there.
    pub(crate) stable: Vec<u8>,
    /// Writes on top of them that may be there, in order.
    pub(crate) loose: Vec<Loose>,
    /// The time that was set last, if nothing was written since.
    pub(crate) mtime: Option<u32>,
}

impl File {
    /// Returns up to `length` bytes from an offset on as the client sees them: all writes are there.
    pub(crate) fn seen(&self, offset: usize, length: usize) -> Vec<u8> {
        let mut seen = vec![0; self.length().saturating_sub(offset).min(length)];
        cover(&mut seen, offset, 0, &self.stable);
        self.loose.iter().for_each(|write| cover(&mut seen, offset, write.offset, &write.data));
        seen
    }

    /// Its length if all writes are there.
    fn length(&self) -> usize {
        let ends = self.loose.iter().map(|write| write.offset + write.data.len());
        ends.chain([self.stable.len()]).max().unwrap_or(0)
    }

    /// A write that is answered as stable: it also fixes what it covers.
    pub(crate) fn write_stable(&mut self, offset: usize, data: &[u8]) {
        lay(&mut self.stable, offset, data);
        // An older loose write may not come back over it. Only the parts outside of it are kept.
        let end = offset + data.len();
        let mut left = Vec::new();
        for write in self.loose.drain(..) {
            let (from, to) = (write.offset, write.offset + write.data.len());
            let mut part = |start: usize, stop: usize| {
                if start < stop {
                    let data = write.data[start - from..stop - from].to_vec();
                    left.push(Loose { offset: start, data, verifier: write.verifier });
                }
            };
            part(from, to.min(offset));
            part(from.max(end), to);
        }
        self.loose = left;
        self.mtime = None;
    }

    /// A commit that was answered with this verifier: writes of the same verifier are stable.
    pub(crate) fn commit(&mut self, verifier: [u8; 8]) {
        let mut loose = Vec::new();
        for write in std::mem::take(&mut self.loose) {
            match write.verifier == Some(verifier) {
                true => lay(&mut self.stable, write.offset, &write.data),
                false => loose.push(write),
            }
        }
        assert!(loose.is_empty(), "the verifier changed without a restart");
    }

    /// A truncation that was answered.
    pub(crate) fn truncate(&mut self, size: usize) {
        self.stable.truncate(size);
        for write in &mut self.loose {
            write.data.truncate(size.saturating_sub(write.offset));
        }
        self.loose.retain(|write| !write.data.is_empty());
        // The new size is stable; bytes below it that were loose may be zeros.
        if self.stable.len() < size {
            self.stable.resize(size, 0);
        }
        self.mtime = None;
    }

    /// Whether a server that was killed may show these bytes: each is the stable one or one of a later loose write.
    pub(crate) fn allows(&self, bytes: &[u8]) -> Result<(), String> {
        if bytes.len() < self.stable.len() {
            return Err(format!("{} bytes are left of {} stable ones", bytes.len(), self.stable.len()));
        }
        if bytes.len() > self.length() {
            return Err(format!("{} bytes, more than were ever written", bytes.len()));
        }
        // Most pieces are as they were, and are compared as a whole.
        for (number, piece) in bytes.chunks(PIECE).enumerate() {
            let mut stable = vec![0; piece.len()];
            cover(&mut stable, number * PIECE, 0, &self.stable);
            if stable != piece {
                self.allows_piece(number * PIECE, piece, &stable)?;
            }
        }
        Ok(())
    }

    fn allows_piece(&self, from: usize, piece: &[u8], stable: &[u8]) -> Result<(), String> {
        for (within, (byte, stable)) in piece.iter().zip(stable).enumerate() {
            let at = from + within;
            let is_loose = |write: &Loose| at.checked_sub(write.offset).and_then(|at| write.data.get(at)) == Some(byte);
            if byte != stable && !self.loose.iter().any(is_loose) {
                return Err(format!("byte {at} is {byte}, not {stable} nor what was written later"));
            }
        }
        Ok(())
    }
}

/// Lays over bytes that begin at `from` what of this, which begins at `offset`, falls among them.
fn cover(bytes: &mut [u8], from: usize, offset: usize, data: &[u8]) {
    let (begin, end) = (offset.max(from), (offset + data.len()).min(from + bytes.len()));
    if begin < end {
        bytes[begin - from..end - from].copy_from_slice(&data[begin - offset..end - offset]);
    }
}

fn lay(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    if bytes.len() < offset + data.len() {
        bytes.resize(offset + data.len(), 0);
    }
    bytes[offset..offset + data.len()].copy_from_slice(data);
}

/// A client's folder.
pub(crate) type Files = BTreeMap<String, File>;

/// Reports where the found files are not as the record allows.
pub(crate) fn disagreement(files: &Files, found: &Files) -> Result<(), String> {
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    if names(files) != names(found) {
        return Err(format!("names {:?}, not {:?}", names(found), names(files)));
    }
    for (name, file) in files {
        let there = &found[name];
        file.allows(&there.stable).map_err(|fault| format!("{name}: {fault}"))?;
        if file.mtime.is_some() && file.mtime != there.mtime {
            return Err(format!("{name}: mtime {:?}, not {:?}", there.mtime, file.mtime));
        }
    }
    Ok(())
}
