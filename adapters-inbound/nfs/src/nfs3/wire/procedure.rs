use crate::rpc::numbered_procedures;

numbered_procedures! {
    /// The procedures of NFSv3 (RFC 1813 section 3.3).
    pub enum Procedure {
        NULL = 0,
        GETATTR = 1,
        SETATTR = 2,
        LOOKUP = 3,
        ACCESS = 4,
        READLINK = 5,
        READ = 6,
        WRITE = 7,
        CREATE = 8,
        MKDIR = 9,
        SYMLINK = 10,
        MKNOD = 11,
        REMOVE = 12,
        RMDIR = 13,
        RENAME = 14,
        LINK = 15,
        READDIR = 16,
        READDIRPLUS = 17,
        FSSTAT = 18,
        FSINFO = 19,
        PATHCONF = 20,
        COMMIT = 21,
    }
}

impl Procedure {
    /// Whether a repetition could do harm or give another answer, so that the duplicate-request cache has to see it.
    pub fn changes_something(self) -> bool {
        matches!(
            self,
            Self::SETATTR
                | Self::WRITE
                | Self::CREATE
                | Self::MKDIR
                | Self::SYMLINK
                | Self::MKNOD
                | Self::REMOVE
                | Self::RMDIR
                | Self::RENAME
                | Self::LINK
        )
    }
}

#[cfg(test)]
mod tests;
