/// An information class of a file that a client may query (MS-FSCC 2.4). The discriminant is its number on the wire.
///
/// [`crate::info::ea::FULL_EA_CLASS`] (15) isn't among them: a query of it has a payload of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum FileClass {
    /// Times and attributes (FileBasicInformation).
    Basic = 4,
    /// Sizes, links, pending deletion (FileStandardInformation).
    Standard = 5,
    /// The 64-bit identifier (FileInternalInformation).
    Internal = 6,
    /// The size of the extended attributes (FileEaInformation).
    Ea = 7,
    /// Granted access (FileAccessInformation).
    Access = 8,
    /// The path (FileNameInformation). Windows refuses it to remote clients.
    Name = 9,
    /// The position of the open (FilePositionInformation).
    Position = 14,
    /// The mode of the open (FileModeInformation).
    Mode = 16,
    /// The alignment of buffers (FileAlignmentInformation).
    Alignment = 17,
    /// Most of the above in one (FileAllInformation).
    All = 18,
    /// The 8.3 name (FileAlternateNameInformation).
    AlternateName = 21,
    /// The data streams (FileStreamInformation).
    Stream = 22,
    /// Compression of the file (FileCompressionInformation).
    Compression = 28,
    /// Times, sizes and attributes (FileNetworkOpenInformation).
    NetworkOpen = 34,
    /// Attributes and reparse tag (FileAttributeTagInformation).
    AttributeTag = 35,
    /// The path without a leading backslash, in the case that the directory holds (FileNormalizedNameInformation).
    /// SMB 3.1.1 only.
    NormalizedName = 48,
    /// The identifiers of volume and file (FileIdInformation). SMB 3 only.
    Id = 59,
    /// Mode, owner and group (SMB3 POSIX extensions). Only on an open with the POSIX create context.
    Posix = 100,
}

impl FileClass {
    /// All classes.
    pub const ALL: [Self; 18] = [
        Self::Basic,
        Self::Standard,
        Self::Internal,
        Self::Ea,
        Self::Access,
        Self::Name,
        Self::Position,
        Self::Mode,
        Self::Alignment,
        Self::All,
        Self::AlternateName,
        Self::Stream,
        Self::Compression,
        Self::NetworkOpen,
        Self::AttributeTag,
        Self::NormalizedName,
        Self::Id,
        Self::Posix,
    ];

    /// The class with this number, if it is one of these.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }

    /// The number on the wire.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The length of the fixed part in bytes. A client with less room gets STATUS_INFO_LENGTH_MISMATCH. For a class
    /// with a name that is the size of the structure with one character, aligned as MS-FSA says.
    #[must_use]
    pub fn minimum_length(self) -> usize {
        match self {
            Self::Ea | Self::Access | Self::Mode | Self::Alignment => 4,
            Self::Internal | Self::Name | Self::Position | Self::AlternateName => 8,
            Self::AttributeTag | Self::NormalizedName => 8,
            Self::Compression => 16,
            Self::Standard | Self::Id => 24,
            Self::Stream => 32,
            Self::Basic => 40,
            Self::NetworkOpen => 56,
            Self::Posix => 96,
            Self::All => 104,
        }
    }

    /// An answer that is too long is cut, rather than refused.
    #[must_use]
    pub fn is_truncatable(self) -> bool {
        matches!(self, Self::Name | Self::All | Self::AlternateName | Self::Stream | Self::NormalizedName)
    }
}
