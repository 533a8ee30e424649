//! Handles: the 32 opaque bytes that clients keep.

use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use crate::{
    error::{FsError, FsResult},
    id::{NodeId, ShareId, Tree},
};

/// A handle's fields, as decoded; its tag is not verified yet.
///
/// Layout, big-endian: version (1 byte, 1), flags (1, 0), reserved (2, 0), tree (4; 0: the living one), share
/// (8), node (8), tag (8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    /// The share.
    pub share: ShareId,
    /// The node.
    pub node: NodeId,
    /// The tree in which the node is meant.
    pub tree: Tree,
    tag: u64,
}

/// A share's key for the tags of its handles, so that they cannot be forged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HandleKey(pub [u8; 16]);

impl std::fmt::Debug for HandleKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HandleKey(..)")
    }
}

impl HandleKey {
    /// The handle of a node.
    pub fn sign(&self, share: ShareId, node: NodeId) -> Handle {
        let tree = Tree::LIVE;
        Handle { share, node, tree, tag: self.tag(share, node, tree) }
    }

    /// Whether this key made the handle's tag.
    pub fn verify(&self, handle: &Handle) -> bool {
        self.tag(handle.share, handle.node, handle.tree) == handle.tag
    }

    fn tag(&self, share: ShareId, node: NodeId, tree: Tree) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_u32(tree.0);
        hasher.write_u64(share.0);
        hasher.write_u64(node.0);
        hasher.finish()
    }
}

impl Handle {
    /// Length of every handle.
    pub const BYTES: usize = 32;
    const VERSION: u8 = 1;

    /// The bytes that a client gets.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[0] = Self::VERSION;
        out[4..8].copy_from_slice(&self.tree.0.to_be_bytes());
        out[8..16].copy_from_slice(&self.share.0.to_be_bytes());
        out[16..24].copy_from_slice(&self.node.0.to_be_bytes());
        out[24..32].copy_from_slice(&self.tag.to_be_bytes());
        out
    }

    /// Decodes what a client sent.
    ///
    /// # Errors
    /// `BadHandle` for a wrong length, version or reserved field; `Stale` for a tree or node out of range. The tag,
    /// and whether there is such a tree, are the share's business: see [`HandleKey::verify`].
    pub fn from_bytes(bytes: &[u8]) -> FsResult<Handle> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().map_err(|_| FsError::BadHandle)?;
        if bytes[..4] != [Self::VERSION, 0, 0, 0] {
            return Err(FsError::BadHandle);
        }
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            u64::from_be_bytes(word)
        };
        let handle = Handle {
            share: ShareId(word(8)),
            node: NodeId(word(16)),
            tree: Tree((word(0) & u64::from(u32::MAX)) as u32),
            tag: word(24),
        };
        if handle.tree > Tree::MAX || !handle.node.is_valid() {
            return Err(FsError::Stale);
        }
        Ok(handle)
    }
}
