use dittofs_xdr::{Decode, Decoder};

use super::*;
use crate::nfs3::wire;

#[test]
fn procedures_have_the_names_of_their_numbers() {
    for (number, procedure) in (0..).zip(PROCEDURES) {
        assert_eq!(format!("{:?}", wire::Procedure::of(number).unwrap()), procedure.name);
    }
    assert_eq!(wire::Procedure::of(PROCEDURES.len() as u32), None);
}

#[test]
fn every_status_is_named_as_the_standard_does() {
    let named = |code: u32| {
        let mut decoder = Decoder::new(bytes::Bytes::copy_from_slice(&code.to_be_bytes()));
        wire::nfsstat3::decode(&mut decoder).ok().map(|status| format!("{status:?}"))
    };
    let listed = |code: u32| STATUSES.iter().find(|(known, _)| *known == code).map(|(_, name)| *name);
    for code in (0..100).chain(10_000..10_020) {
        let name = named(code).map(|name| name.trim_start_matches("NFS3ERR_").trim_start_matches("NFS3_").to_owned());
        assert_eq!(name.as_deref(), listed(code), "{code}");
    }
    assert_eq!(STATUSES[0], (0, "OK"), "success is found first");
}
