use dittofs_smb_wire::{
    control::ValidateNegotiate,
    dialect::Dialect,
    identifiers::Guid,
    negotiate::{Capabilities, NegotiateRequest, SecurityMode},
};

use super::are_same;
use crate::{
    negotiation::{Terms, negotiate},
    protocol::SmbOptions,
};

const DIALECTS: [Dialect; 3] = [Dialect::SMB_2_1, Dialect::SMB_3_0, Dialect::SMB_3_0_2];

fn terms(dialects: &[Dialect]) -> Terms {
    let request = NegotiateRequest {
        security_mode: SecurityMode::SIGNING_ENABLED,
        capabilities: Capabilities::ENCRYPTION | Capabilities::LARGE_MTU,
        client_guid: Guid([7; 16]),
        dialects: dialects.to_vec(),
        contexts: Vec::new(),
    };
    negotiate(&SmbOptions::default(), &request, [0; 32]).unwrap().0
}

fn offer() -> ValidateNegotiate {
    ValidateNegotiate {
        capabilities: (Capabilities::ENCRYPTION | Capabilities::LARGE_MTU).bits(),
        guid: [7; 16],
        security_mode: SecurityMode::SIGNING_ENABLED.bits(),
        dialects: DIALECTS.iter().map(|dialect| dialect.0).collect(),
    }
}

#[test]
fn an_offer_that_came_as_it_was_sent_is_good() {
    assert!(are_same(&SmbOptions::default(), &terms(&DIALECTS), &offer()));
}

#[test]
fn a_dialect_that_was_taken_out_on_the_way_is_noticed() {
    assert!(!are_same(&SmbOptions::default(), &terms(&[Dialect::SMB_2_1]), &offer()));
    assert!(!are_same(&SmbOptions::default(), &terms(&[Dialect::SMB_2_1, Dialect::SMB_3_0]), &offer()));
}

#[test]
fn every_other_change_is_noticed() {
    let changes: [fn(&mut ValidateNegotiate); 4] = [
        |offer| offer.capabilities = 0,
        |offer| offer.guid[0] = 0,
        |offer| offer.security_mode = SecurityMode::SIGNING_REQUIRED.bits(),
        |offer| offer.dialects.clear(),
    ];
    for change in changes {
        let mut changed = offer();
        change(&mut changed);
        assert!(!are_same(&SmbOptions::default(), &terms(&DIALECTS), &changed), "{changed:?}");
    }
}
