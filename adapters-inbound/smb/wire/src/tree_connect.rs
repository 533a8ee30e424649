//! TREE_CONNECT, MS-SMB2 2.2.9 and 2.2.10.

use bytes::Bytes;

use crate::access::AccessMask;
use crate::cursor::Malformed;
use crate::layout::{Body, bit_set, fixed_body, open_integer};
use crate::message::Decode;
use crate::text::Utf16Text;
#[cfg(feature = "client")]
use crate::{
    header::Header,
    message::{Encode, OutgoingMessage, length_u16},
};

bit_set! {
    /// The flags of a TREE_CONNECT request, in SMB 3.1.1; reserved before.
    pub struct TreeConnectFlags(u16) {
        /// The client was connected to the share of this cluster before.
        CLUSTER_RECONNECT = 0x0001,
        /// The client understands a redirection.
        REDIRECT_TO_OWNER = 0x0002,
        /// The extension of 2.2.9.1 stands before the path.
        EXTENSION_PRESENT = 0x0004,
    }
}

/// A TREE_CONNECT request, 2.2.9. The extension with its contexts is passed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TreeConnectRequest {
    /// How to connect.
    pub flags: TreeConnectFlags,
    /// The path, `\\server\share`.
    pub path: Utf16Text,
}

impl TreeConnectRequest {
    const STRUCTURE_SIZE: u16 = 9;
}

impl Decode for TreeConnectRequest {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        let flags = body.read()?;
        let offset: u16 = body.read()?;
        let length: u16 = body.read()?;
        Ok(Self { flags, path: Utf16Text::new(body.buffer(offset, length)?)? })
    }
}

#[cfg(feature = "client")]
impl Encode for TreeConnectRequest {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(Self::STRUCTURE_SIZE);
        out.field(self.flags);
        out.field(length_u16(Header::SIZE + 8));
        out.field(length_u16(self.path.as_bytes().len()));
        out.put(self.path.as_bytes());
    }
}

open_integer! {
    /// The type of a share.
    pub struct ShareType(u8) {
        /// A file system.
        DISK = 0x01,
        /// Named pipes.
        PIPE = 0x02,
        /// A printer.
        PRINT = 0x03,
    }
}

bit_set! {
    /// The properties of a share. The caching mode in bits 4 and 5 is manual if none of the three is set.
    pub struct ShareFlags(u32) {
        /// The share is in a DFS tree.
        DFS = 0x0000_0001,
        /// The share is the root of a DFS tree.
        DFS_ROOT = 0x0000_0002,
        /// Clients may keep files for offline use by themselves.
        AUTO_CACHING = 0x0000_0010,
        /// The same, and clients may open kept files without asking.
        VDO_CACHING = 0x0000_0020,
        /// Clients must keep no files for offline use.
        NO_CACHING = 0x0000_0030,
        /// Files can't be opened so that others may not open them.
        RESTRICT_EXCLUSIVE_OPENS = 0x0000_0100,
        /// Files can't be opened so that others may not delete them.
        FORCE_SHARED_DELETE = 0x0000_0200,
        /// Clients may cache listings.
        ALLOW_NAMESPACE_CACHING = 0x0000_0400,
        /// Listings hold only entries that the user may access.
        ACCESS_BASED_DIRECTORY_ENUM = 0x0000_0800,
        /// There are no exclusive oplocks.
        FORCE_LEVELII_OPLOCK = 0x0000_1000,
        /// Content hashes of version 1 are available.
        ENABLE_HASH_V1 = 0x0000_2000,
        /// Content hashes of version 2 are available.
        ENABLE_HASH_V2 = 0x0000_4000,
        /// All messages of the tree must be encrypted (SMB 3.x).
        ENCRYPT_DATA = 0x0000_8000,
        /// The user's identity may be handed on.
        IDENTITY_REMOTING = 0x0004_0000,
        /// Responses may be compressed (SMB 3.1.1).
        COMPRESS_DATA = 0x0010_0000,
        /// Nothing of the share is to be cached across networks.
        ISOLATED_TRANSPORT = 0x0020_0000,
    }
}

bit_set! {
    /// The capabilities of a share.
    pub struct ShareCapabilities(u32) {
        /// It is in a DFS tree.
        DFS = 0x0000_0008,
        /// It survives a failure of its server (SMB 3.x).
        CONTINUOUS_AVAILABILITY = 0x0000_0010,
        /// Several servers offer it at the same time (SMB 3.x).
        SCALEOUT = 0x0000_0020,
        /// It is in a cluster (SMB 3.x).
        CLUSTER = 0x0000_0040,
        /// It can move to another server (SMB 3.0.2).
        ASYMMETRIC = 0x0000_0080,
        /// The client can be redirected to its owner (SMB 3.1.1).
        REDIRECT_TO_OWNER = 0x0000_0100,
    }
}

fixed_body! {
    /// The response to TREE_CONNECT, 2.2.10.
    pub struct TreeConnectResponse(16) {
        /// The type of the share.
        pub share_type: ShareType,
        reserved 1;
        /// The share's properties.
        pub share_flags: ShareFlags,
        /// The share's capabilities.
        pub capabilities: ShareCapabilities,
        /// All rights that the user has on the share.
        pub maximal_access: AccessMask,
    }
}

#[cfg(test)]
mod tests;
