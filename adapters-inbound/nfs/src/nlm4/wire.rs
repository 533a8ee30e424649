//! The types of the lock manager as they are on the wire, under the names that XNFS gives them (Open Group C702,
//! chapter 14).

// The names are the standard's, and so is the meaning of each field.
#![allow(missing_docs, non_camel_case_types, clippy::upper_case_acronyms)]

use bytes::Bytes;
use dittofs_xdr::{Decode, Encode};

use crate::rpc::numbered_procedures;

/// The longest `netobj` (MAXNETOBJ_SZ).
pub const MAXNETOBJ_SZ: usize = 1024;
/// The longest name of a client (LM_MAXSTRLEN).
pub const LM_MAXSTRLEN: usize = 1024;

numbered_procedures! {
    /// The procedures. Those in `_MSG` are answered by a call of the one in `_RES`.
    pub enum Procedure {
        NULL = 0,
        TEST = 1,
        LOCK = 2,
        CANCEL = 3,
        UNLOCK = 4,
        GRANTED = 5,
        TEST_MSG = 6,
        LOCK_MSG = 7,
        CANCEL_MSG = 8,
        UNLOCK_MSG = 9,
        GRANTED_MSG = 10,
        TEST_RES = 11,
        LOCK_RES = 12,
        CANCEL_RES = 13,
        UNLOCK_RES = 14,
        GRANTED_RES = 15,
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

/// A lock: whose, of which file, and where. A length of 0 reaches to the end of any file.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct nlm4_lock {
    #[xdr(max = LM_MAXSTRLEN)]
    pub caller_name: Bytes,
    pub fh: netobj,
    pub oh: netobj,
    pub svid: i32,
    pub l_offset: u64,
    pub l_len: u64,
}

/// The arguments of LOCK and NM_LOCK.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct nlm4_lockargs {
    pub cookie: netobj,
    pub block: bool,
    pub exclusive: bool,
    pub alock: nlm4_lock,
    pub reclaim: bool,
    pub state: i32,
}

/// The arguments of CANCEL.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct nlm4_cancargs {
    pub cookie: netobj,
    pub block: bool,
    pub exclusive: bool,
    pub alock: nlm4_lock,
}

/// The arguments of TEST and GRANTED.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct nlm4_testargs {
    pub cookie: netobj,
    pub exclusive: bool,
    pub alock: nlm4_lock,
}

/// The arguments of UNLOCK.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct nlm4_unlockargs {
    pub cookie: netobj,
    pub alock: nlm4_lock,
}

/// The result of LOCK and its kin.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct nlm4_res {
    pub cookie: netobj,
    pub stat: nlm4_stats,
}

/// The lock that is in the way.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct nlm4_holder {
    pub exclusive: bool,
    pub svid: i32,
    pub oh: netobj,
    pub l_offset: u64,
    pub l_len: u64,
}

/// The outcome of TEST: other statuses than NLM4_DENIED have no body.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub enum nlm4_testrply {
    #[xdr(case = 1)]
    NLM4_DENIED(nlm4_holder),
    #[xdr(default)]
    Other(u32),
}

/// The result of TEST.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct nlm4_testres {
    pub cookie: netobj,
    pub stat: nlm4_testrply,
}

/// The access that a DOS share denies to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Decode, Encode)]
pub enum fsh4_mode {
    fsm_DN = 0,
    fsm_DR = 1,
    fsm_DW = 2,
    fsm_DRW = 3,
}

/// The access that a DOS share is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Decode, Encode)]
pub enum fsh4_access {
    fsa_NONE = 0,
    fsa_R = 1,
    fsa_W = 2,
    fsa_RW = 3,
}

/// A DOS share of a file.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct nlm4_share {
    #[xdr(max = LM_MAXSTRLEN)]
    pub caller_name: Bytes,
    pub fh: netobj,
    pub oh: netobj,
    pub mode: fsh4_mode,
    pub access: fsh4_access,
}

/// The arguments of SHARE and UNSHARE.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct nlm4_shareargs {
    pub cookie: netobj,
    pub share: nlm4_share,
    pub reclaim: bool,
}

/// The result of SHARE and UNSHARE.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct nlm4_shareres {
    pub cookie: netobj,
    pub stat: nlm4_stats,
    pub sequence: i32,
}

/// The arguments of FREE_ALL.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct nlm4_notify {
    #[xdr(max = LM_MAXSTRLEN)]
    pub name: Bytes,
    pub state: i32,
}
