use bytes::Bytes;

use crate::cursor::Writer;
use crate::info::ea;

use super::{BasicChange, RenameFlags, SetFile};

/// The length to which clients pad a rename or a link.
const NAMED_LENGTH_MIN: usize = 24;

impl SetFile {
    /// The information class that this change is sent with, for a client.
    #[must_use]
    pub fn class(&self) -> u8 {
        match self {
            Self::Basic(_) => 4,
            Self::Rename(rename) if (rename.flags - RenameFlags::REPLACE_IF_EXISTS).is_empty() => 10,
            Self::Rename(_) => 65,
            Self::Link(_) => 11,
            Self::Disposition(_) => 13,
            Self::DispositionEx(_) => 64,
            Self::Position(_) => 14,
            Self::FullEa(_) => ea::FULL_EA_CLASS,
            Self::Mode(_) => 16,
            Self::Allocation(_) => 19,
            Self::EndOfFile(_) => 20,
            Self::ValidDataLength(_) => 39,
        }
    }

    /// Encodes the buffer of a SET_INFO request, for a client.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::default();
        match self {
            Self::Basic(change) => change.put(&mut writer),
            Self::Rename(rename) => {
                writer.u32(rename.flags.bits());
                put_name(&mut writer, rename.root_directory, &rename.name);
            }
            Self::Link(link) => {
                writer.u32(link.replace_if_exists.into());
                put_name(&mut writer, link.root_directory, &link.name);
            }
            Self::Disposition(delete) => writer.u8((*delete).into()),
            Self::DispositionEx(flags) => writer.u32(flags.bits()),
            Self::Mode(mode) => writer.u32(*mode),
            Self::Position(value) | Self::Allocation(value) | Self::EndOfFile(value) | Self::ValidDataLength(value) => {
                writer.u64(*value)
            }
            Self::FullEa(attributes) => {
                return ea::encode_list(attributes, usize::MAX).map(|encoded| encoded.bytes).unwrap_or_default();
            }
        }
        writer.into_bytes().freeze()
    }
}

impl BasicChange {
    fn put(&self, writer: &mut Writer) {
        for time in [self.creation, self.last_access, self.last_write, self.change] {
            writer.field(time.to_field());
        }
        writer.u32(self.attributes.map_or(0, |attributes| attributes.bits()));
        writer.zeros(4);
    }
}

fn put_name(writer: &mut Writer, root_directory: u64, name: &str) {
    writer.zeros(4);
    writer.u64(root_directory);
    let length = 2 * name.encode_utf16().count();
    writer.u32(u32::try_from(length).unwrap_or_default());
    writer.utf16(name);
    writer.zeros(NAMED_LENGTH_MIN.saturating_sub(writer.position()));
}
