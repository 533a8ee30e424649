//! The types of the status monitor as they are on the wire, under the names that XNFS gives them.

// The names are the standard's, and so is the meaning of each field.
#![allow(missing_docs, non_camel_case_types, clippy::upper_case_acronyms)]

use bytes::Bytes;
use dittofs_xdr::{Decode, Encode};

use crate::rpc::numbered_procedures;

/// The longest name of a machine (SM_MAXSTRLEN).
pub const SM_MAXSTRLEN: usize = 1024;

numbered_procedures! {
    /// The procedures that are served.
    pub enum Procedure {
        NULL = 0,
        STAT = 1,
        NOTIFY = 6,
    }
}

/// The arguments of STAT.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct sm_name {
    #[xdr(max = SM_MAXSTRLEN)]
    pub mon_name: Bytes,
}

/// The result of STAT.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct sm_stat_res {
    pub res_stat: u32,
    pub state: i32,
}

/// The arguments of NOTIFY: who has started again, and the number of its life.
#[derive(Debug, Clone, PartialEq, Eq, Decode, Encode)]
pub struct stat_chge {
    #[xdr(max = SM_MAXSTRLEN)]
    pub mon_name: Bytes,
    pub state: i32,
}
