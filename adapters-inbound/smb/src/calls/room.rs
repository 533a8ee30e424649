//! How much the answers of a frame may take: reserved before its requests begin, and bounded by a frame.

use dittofs_smb_wire::{Message, NtStatus, Request, frame};

use crate::{command::NOTIFY_BYTES_MAX, negotiation::LARGE_IO_BYTES_MAX};

/// Bytes of an answer besides what was asked for: its header, its fixed part, and the contexts of a CREATE.
const HEAD_BYTES: usize = 512;
/// Bytes of what is told of one file or of its store, besides the few that have a path or an ACL as long as can be.
/// Clients ask for much more, and should not have to wait in line for that.
const INFO_BYTES: u32 = 8 << 10;
/// What a frame has for the answers, besides the header of its transform.
const FRAME_BYTES: usize = frame::LENGTH_MAX - HEAD_BYTES;

/// Bytes of the answer to a request at most, besides its head.
fn answer_bytes(request: &Request) -> usize {
    let asked = match request {
        Request::Read(read) => read.length,
        Request::QueryDirectory(query) => query.output_buffer_length,
        Request::QueryInfo(query) => query.output_buffer_length.min(INFO_BYTES),
        Request::Ioctl(ioctl) => ioctl.max_output_response,
        Request::ChangeNotify(notify) => notify.output_buffer_length.min(NOTIFY_BYTES_MAX),
        _ => 0,
    };
    asked.min(LARGE_IO_BYTES_MAX) as usize
}

/// Bytes of all answers to the requests of a frame at most.
pub(crate) fn answers_bytes(requests: &[(Message, Result<Request, NtStatus>)]) -> usize {
    let asked: usize = requests.iter().flat_map(|(_, request)| request).map(answer_bytes).sum();
    asked.min(frame::LENGTH_MAX)
}

/// The room that is left in the frame of the answers.
pub(super) struct Room {
    left: usize,
}

impl Room {
    /// Of a frame that answers so many requests: each has room for an error.
    pub(super) fn of(requests: usize) -> Room {
        Room { left: FRAME_BYTES.saturating_sub(requests * HEAD_BYTES) }
    }

    /// Refuses a request whose answer may not fit, before it is carried out.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub(super) fn demand(&self, request: Result<Request, NtStatus>) -> Result<Request, NtStatus> {
        request.and_then(|request| match answer_bytes(&request) <= self.left {
            true => Ok(request),
            false => Err(NtStatus::INSUFFICIENT_RESOURCES),
        })
    }

    /// Takes the room of an answer.
    pub(super) fn take(&mut self, length: usize) {
        self.left = self.left.saturating_sub(length.saturating_sub(HEAD_BYTES));
    }
}

#[cfg(test)]
mod tests;
