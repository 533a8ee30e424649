//! Whether clients of SMB must encrypt their traffic with a share, whatever the server demands of all.

use dittofs_smb::{Encryption, SmbOptions};

use super::adapters::Adapters;
use super::problem::Report;
use super::section::Section;
use super::shares::ShareConfig;

/// The words of the configuration.
const WORDS: [(&str, bool); 2] = [("offered", false), ("required", true)];

/// The word of the configuration for what a share demands.
#[must_use]
pub fn smb_encryption_word(is_required: bool) -> &'static str {
    if is_required { "required" } else { "offered" }
}

/// Reads `smb_encryption`; by default a share demands no more than the server.
pub(super) fn read(section: &mut Section<'_>) -> bool {
    section.take_choice("smb_encryption", &WORDS).unwrap_or(false)
}

/// Refuses a share that demands what the server never does: nobody could use it.
pub(super) fn check(shares: &[ShareConfig], adapters: &Adapters, report: &Report) {
    let Some(smb) = adapters.protocols.iter().find_map(|(_, protocol)| protocol.options::<SmbOptions>()) else {
        return;
    };
    if smb.encryption != Encryption::Off && smb.can_seal() {
        return;
    }
    for (at, share) in shares.iter().enumerate().filter(|(_, share)| share.smb_encryption_required) {
        let found = format!("`{}` demands what `adapters.smb` does not offer", share.name);
        let fix = "allow `adapters.smb.encryption: offered` and `dialect_max: 3.1.1`, or leave it out";
        report.refuse(&format!("shares[{at}].smb_encryption"), found, fix);
    }
}
