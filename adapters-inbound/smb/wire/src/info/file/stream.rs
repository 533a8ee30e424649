use crate::cursor::Writer;
use crate::info::query::Encoded;

/// Bytes of an element before its name.
pub(super) const FIXED_LENGTH: usize = 24;
const ALIGNMENT: usize = 8;

/// A data stream of a file (FILE_STREAM_INFORMATION).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StreamFacts {
    /// The bare name, empty for the unnamed stream: encoded as `:name:$DATA`.
    pub name: String,
    /// Bytes of data.
    pub size: u64,
    /// Bytes that the stream takes up in storage.
    pub allocation_size: u64,
}

/// Encodes the streams that fit, in order and each as a whole.
pub(super) fn encode(streams: &[StreamFacts], limit: usize) -> Encoded {
    let mut writer = Writer::with_capacity(limit.min(64 * streams.len()));
    let mut previous = None;
    let mut overflow = false;
    for stream in streams {
        let start = writer.position().next_multiple_of(ALIGNMENT);
        let name_length = 2 * (stream.name.encode_utf16().count() + "::$DATA".len());
        if start + FIXED_LENGTH + name_length > limit {
            overflow = true;
            break;
        }
        writer.align(ALIGNMENT);
        if let Some(previous) = previous {
            writer.patch_u32(previous, u32::try_from(start - previous).unwrap_or_default());
        }
        previous = Some(start);
        writer.u32(0);
        writer.u32(u32::try_from(name_length).unwrap_or_default());
        writer.u64(stream.size);
        writer.u64(stream.allocation_size);
        writer.utf16(":");
        writer.utf16(&stream.name);
        writer.utf16(":$DATA");
    }
    Encoded { bytes: writer.into_bytes().freeze(), overflow }
}
