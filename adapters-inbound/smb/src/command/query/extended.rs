//! Extended attributes (MS-SMB2, 3.3.5.20.1; MS-FSA, 2.1.5.12, FileFullEaInformation).

use std::{collections::HashMap, sync::atomic::Ordering};

use bytes::Bytes;
use dittofs_domain::{
    access::AccessMask,
    xattr::{XATTRS_MAX, Xattr, Xattrs},
};
use dittofs_ports::Entered;
use dittofs_smb_wire::{
    NtStatus,
    info::{
        Ea, Encoded,
        ea::{decode_list, decode_names, encode_list},
    },
    query_info::{QueryInfoFlags, QueryInfoRequest},
};

use super::answer;
use crate::{
    calls::Done,
    extended::{refused, valid_name},
    failure::Failure,
    open::OpenNode,
};

pub(super) async fn query(node: &OpenNode, entered: &Entered, request: &QueryInfoRequest) -> Result<Done, Failure> {
    node.demand_any(AccessMask::READ_NAMED_ATTRS)?;
    let held = node.access & AccessMask::READ_NAMED_ATTRS;
    let xattrs = entered.share.xattrs(&node.caller, node.file, held).await.map_err(refused)?;
    let xattrs = xattrs.ok_or(NtStatus::NO_EAS_ON_FILE)?;
    if request.input.is_empty() { scan(node, &xattrs, request) } else { named(&xattrs, request) }
}

/// Those that a client names. One that is not there has a value of no bytes.
fn named(xattrs: &Xattrs, request: &QueryInfoRequest) -> Result<Done, Failure> {
    let names = decode_names(&request.input).map_err(|_| NtStatus::EA_LIST_INCONSISTENT)?;
    if names.len() > XATTRS_MAX {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    let known: HashMap<Vec<u8>, &Xattr> = xattrs.all().iter().map(|xattr| (xattr.name.folded(), xattr)).collect();
    let mut found = Vec::with_capacity(names.len());
    for bytes in names {
        let name = valid_name(bytes.clone())?;
        let missing = || Ea { name: bytes, ..Ea::default() };
        found.push(known.get(&name.folded()).map_or_else(missing, |xattr| shown(xattr)));
    }
    answer(encode_list(&found, request.output_buffer_length as usize))
}

/// The next ones that fit, from where the open has come to.
fn scan(node: &OpenNode, xattrs: &Xattrs, request: &QueryInfoRequest) -> Result<Done, Failure> {
    let rest = rest(node, xattrs, request)?;
    let wanted = if request.flags.contains(QueryInfoFlags::RETURN_SINGLE_ENTRY) { rest.get(..1) } else { None };
    let wanted = wanted.unwrap_or(rest);
    let list: Vec<Ea> = wanted.iter().map(shown).collect();
    let encoded = encode_list(&list, request.output_buffer_length as usize);
    if let Ok(encoded) = &encoded
        && let Some(last) = wanted.get(count(encoded).wrapping_sub(1))
    {
        node.scanned.store(last.cookie, Ordering::Relaxed);
    }
    answer(encoded)
}

fn rest<'x>(node: &OpenNode, xattrs: &'x Xattrs, request: &QueryInfoRequest) -> Result<&'x [Xattr], NtStatus> {
    let QueryInfoRequest { flags, additional_information: index, .. } = *request;
    if flags.contains(QueryInfoFlags::INDEX_SPECIFIED) {
        // They are counted from 1 on.
        let first = usize::try_from(index).ok().and_then(|index| index.checked_sub(1));
        let rest = first.and_then(|first| xattrs.all().get(first..)).ok_or(NtStatus::NONEXISTENT_EA_ENTRY)?;
        return if rest.is_empty() { Err(NtStatus::NO_MORE_EAS) } else { Ok(rest) };
    }
    let is_anew = flags.contains(QueryInfoFlags::RESTART_SCAN);
    let after = if is_anew { 0 } else { node.scanned.load(Ordering::Relaxed) };
    let rest = xattrs.after(after);
    if rest.is_empty() { Err(NtStatus::NO_MORE_EAS) } else { Ok(rest) }
}

/// How many attributes are in an answer.
fn count(encoded: &Encoded) -> usize {
    decode_list(&Bytes::clone(&encoded.bytes)).map_or(0, |list| list.len())
}

fn shown(xattr: &Xattr) -> Ea {
    Ea { flags: 0, name: Bytes::copy_from_slice(xattr.name.as_bytes()), value: xattr.value.clone() }
}
