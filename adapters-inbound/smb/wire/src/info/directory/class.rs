/// An information class of a directory listing (MS-FSCC 2.4). The discriminant is its number on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum DirectoryClass {
    /// Times, sizes, attributes (FileDirectoryInformation).
    Directory = 1,
    /// And the size of extended attributes (FileFullDirectoryInformation).
    FullDirectory = 2,
    /// And the 8.3 name (FileBothDirectoryInformation).
    BothDirectory = 3,
    /// Names only (FileNamesInformation).
    Names = 12,
    /// [`Self::BothDirectory`] with an identifier (FileIdBothDirectoryInformation).
    IdBothDirectory = 37,
    /// [`Self::FullDirectory`] with an identifier (FileIdFullDirectoryInformation).
    IdFullDirectory = 38,
    /// With an identifier of 128 bits and the reparse tag (FileIdExtdDirectoryInformation).
    IdExtdDirectory = 60,
    /// Mode, owner and group (SMB3 POSIX extensions). Only on an open with the POSIX create context.
    Posix = 100,
}

impl DirectoryClass {
    /// All classes.
    pub const ALL: [Self; 8] = [
        Self::Directory,
        Self::FullDirectory,
        Self::BothDirectory,
        Self::Names,
        Self::IdBothDirectory,
        Self::IdFullDirectory,
        Self::IdExtdDirectory,
        Self::Posix,
    ];

    /// The class with this number, if it is one of these. Any other is STATUS_INVALID_INFO_CLASS.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }

    /// The number on the wire.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Bytes of an entry without its name; of [`Self::Posix`], also without the two SIDs.
    #[must_use]
    pub fn fixed_length(self) -> usize {
        match self {
            Self::Names => 12,
            Self::Directory => 64,
            Self::FullDirectory => 68,
            Self::IdFullDirectory => 80,
            Self::IdExtdDirectory => 88,
            Self::Posix => 92,
            Self::BothDirectory => 94,
            Self::IdBothDirectory => 104,
        }
    }
}
