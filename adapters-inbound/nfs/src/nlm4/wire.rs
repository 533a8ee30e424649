//! The types of the lock manager as they are on the wire, under the names that XNFS gives them; those of results only, as no
//! argument but the cookie is looked at.

// The names are the standard's, and so is the meaning of each field.
#![allow(missing_docs, non_camel_case_types, clippy::upper_case_acronyms)]

use bytes::Bytes;
use dittofs_xdr::{Decode, Encode};

use crate::rpc::numbered_procedures;

/// The longest `netobj` (MAXNETOBJ_SZ).
pub const MAXNETOBJ_SZ: usize = 1024;

numbered_procedures! {
    /// The procedures that are answered in their own reply.
    pub enum Procedure {
        NULL = 0,
        TEST = 1,
        LOCK = 2,
        CANCEL = 3,
        UNLOCK = 4,
        GRANTED = 5,
        SHARE = 20,
        UNSHARE = 21,
        NM_LOCK = 22,
        FREE_ALL = 23,
    }
}

/// Opaque data of a client: `netobj`.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct netobj(#[xdr(max = MAXNETOBJ_SZ)] pub Bytes);

/// The outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Decode, Encode)]
pub enum nlm4_stats {
    NLM4_GRANTED = 0,
    NLM4_DENIED = 1,
    NLM4_DENIED_NOLOCKS = 2,
    NLM4_BLOCKED = 3,
    NLM4_DENIED_GRACE_PERIOD = 4,
    NLM4_DEADLCK = 5,
    NLM4_ROFS = 6,
    NLM4_STALE_FH = 7,
    NLM4_FBIG = 8,
    NLM4_FAILED = 9,
}

/// The result of LOCK and its kin; also of TEST, whose union has a body for NLM4_DENIED only.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct nlm4_res {
    pub cookie: netobj,
    pub stat: nlm4_stats,
}

/// The result of SHARE and UNSHARE.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct nlm4_shareres {
    pub result: nlm4_res,
    pub sequence: i32,
}
