//! Finds the PDUs in what a client writes.

use bytes::{Bytes, BytesMut};

use super::{HEADER_BYTES, Header};
use crate::cursor::{Malformed, Reader};

/// The PDU that is being received. A client may spread one over several writes, and put several into one.
#[derive(Default, Debug)]
pub(crate) struct Framer {
    /// Never longer than one PDU.
    received: BytesMut,
    /// Of the PDU, once its bytes are here.
    header: Option<Header>,
}

impl Framer {
    /// Takes bytes off the front of what was written, until they complete a PDU; gives its header and what follows it.
    pub(crate) fn next_pdu(&mut self, written: &mut &[u8]) -> Result<Option<(Header, Bytes)>, Malformed> {
        let header = match self.header {
            Some(header) => header,
            None => {
                if !self.fill(HEADER_BYTES, written) {
                    return Ok(None);
                }
                *self.header.insert(Header::read(&mut Reader::new(self.received.split().freeze()))?)
            }
        };
        if !self.fill(header.fragment_bytes - HEADER_BYTES, written) {
            return Ok(None);
        }
        self.header = None;
        Ok(Some((header, self.received.split().freeze())))
    }

    /// Whether there are as many bytes as wanted, after taking what is missing.
    fn fill(&mut self, wanted: usize, written: &mut &[u8]) -> bool {
        let missing = wanted.saturating_sub(self.received.len());
        let (taken, rest) = written.split_at(missing.min(written.len()));
        self.received.extend_from_slice(taken);
        *written = rest;
        self.received.len() >= wanted
    }
}
