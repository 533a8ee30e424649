//! How much an answer may take: reserved before its request begins.

use dittofs_smb_wire::Request;

use crate::negotiation::LARGE_IO_BYTES_MAX;

/// Bytes of the answer to a request at most, besides its head.
pub(super) fn answer_bytes(request: &Request) -> usize {
    let asked = match request {
        Request::Read(read) => read.length,
        Request::QueryDirectory(query) => query.output_buffer_length,
        Request::QueryInfo(query) => query.output_buffer_length,
        Request::Ioctl(ioctl) => ioctl.max_output_response,
        Request::ChangeNotify(notify) => notify.output_buffer_length,
        _ => 0,
    };
    asked.min(LARGE_IO_BYTES_MAX) as usize
}
