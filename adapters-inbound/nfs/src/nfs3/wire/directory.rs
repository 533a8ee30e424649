use bytes::Bytes;
use dittofs_xdr::{BoundedList, Decode, Encode, Encoder, LinkedList};

use super::{Nfs3Result, cookieverf3, nfsstat3, post_op_attr, post_op_fh3};
use crate::rpc::Reply;

pub type READDIR3res = Nfs3Result<READDIR3resok<LinkedList<entry3>>, post_op_attr>;
pub type READDIRPLUS3res = Nfs3Result<READDIR3resok<LinkedList<entryplus3>>, post_op_attr>;

/// Sections 3.3.16 and 3.3.17, with the whole list in memory. A server writes it by [`listing`].
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct READDIR3resok<L> {
    pub dir_attributes: post_op_attr,
    pub cookieverf: cookieverf3,
    pub reply: dirlist3<L>,
}

/// Entries, and whether the directory ends with them.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct dirlist3<L> {
    pub entries: L,
    pub eof: bool,
}

/// An entry of READDIR. The name may be [`dittofs_xdr::OpaqueSlice`] for writing.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct entry3<N = Bytes> {
    pub fileid: u64,
    pub name: N,
    pub cookie: u64,
}

/// An entry of READDIRPLUS. The name may be [`dittofs_xdr::OpaqueSlice`] for writing.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct entryplus3<N = Bytes> {
    pub fileid: u64,
    pub name: N,
    pub cookie: u64,
    pub name_attributes: post_op_attr,
    pub name_handle: post_op_fh3,
}

/// The bytes of `dircount` (section 3.3.17) that an entry with a name of this length takes: fileid, name and cookie.
pub fn dircount_bytes(name_bytes: usize) -> usize {
    8 + 4 + name_bytes.next_multiple_of(4) + 8
}

/// The reply to READDIR or READDIRPLUS, written entry by entry.
///
/// The result (READDIR3resok or READDIRPLUS3resok) has at most `count` bytes. `fill` pushes entries until one doesn't
/// fit, and answers whether the directory ended. Where not even one entry fits, the reply is NFS3ERR_TOOSMALL.
pub fn listing(
    dir_attributes: post_op_attr,
    cookieverf: cookieverf3,
    count: u32,
    fill: impl FnOnce(&mut BoundedList<'_>) -> bool,
) -> Reply {
    let bytes_max = usize::try_from(count).unwrap_or(usize::MAX);
    let mut too_small = false;
    let reply = Reply::success_with(bytes_max.min(64 * 1024) + 64, |encoder| {
        nfsstat3::NFS3_OK.encode(encoder);
        let start = encoder.len();
        dir_attributes.encode(encoder);
        cookieverf.encode(encoder);
        let head = encoder.len() - start;
        let mut list = BoundedList::new(encoder, bytes_max.saturating_sub(head));
        let eof = fill(&mut list);
        too_small = !eof && list.entries() == 0;
        list.finish(eof);
    });
    if !too_small {
        return reply;
    }
    Reply::success_with(128, |encoder: &mut Encoder| {
        nfsstat3::NFS3ERR_TOOSMALL.encode(encoder);
        dir_attributes.encode(encoder);
    })
}
