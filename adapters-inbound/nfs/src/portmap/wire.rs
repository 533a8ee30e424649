//! The types of the portmapper as they are on the wire, under the names that RFC 1833 gives them.

// The names are the standard's, and so is the meaning of each field.
#![allow(missing_docs, non_camel_case_types, clippy::upper_case_acronyms)]

use dittofs_xdr::{Decode, Encode};

use crate::rpc::numbered_procedures;

pub const IPPROTO_TCP: u32 = 6;
pub const IPPROTO_UDP: u32 = 17;

/// Where a version of a program is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Decode, Encode)]
pub struct mapping {
    pub prog: u32,
    pub vers: u32,
    pub prot: u32,
    pub port: u32,
}

numbered_procedures! {
    /// The procedures (section 3.1).
    pub enum Procedure {
        NULL = 0,
        SET = 1,
        UNSET = 2,
        GETPORT = 3,
        DUMP = 4,
        CALLIT = 5,
    }
}
