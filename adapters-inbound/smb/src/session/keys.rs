//! The keys of a session, and what it demands of messages.

use dittofs_smb_security::{
    CryptoFailure, SessionKey,
    keys::KeyDerivation,
    preauth::PreauthHash,
    sealing::{Opener, Sealer},
    signing::Signer,
};
use dittofs_smb_wire::dialect::Dialect;

use crate::negotiation::Terms;

/// The keyed algorithms of a session.
pub(crate) struct Keys {
    pub(crate) signer: Signer,
    /// What seals and opens messages, where the terms have a cipher.
    pub(crate) sealing: Option<(Sealer, Opener)>,
    /// Whether messages that are neither signed nor sealed are refused.
    pub(crate) must_be_signed: bool,
    /// Whether messages that are not sealed are refused.
    pub(crate) must_be_sealed: bool,
}

impl Keys {
    /// Derives the keys (MS-SMB2, 3.3.5.5.3).
    ///
    /// # Errors
    /// The library refuses a key: never, as far as is known.
    pub(crate) fn derive(
        terms: &Terms,
        session: u64,
        (key, preauth): (&SessionKey, &PreauthHash),
        (must_be_signed, must_be_sealed): (bool, bool),
    ) -> Result<Keys, CryptoFailure> {
        let derivation = match terms.dialect {
            Dialect::SMB_3_1_1 => KeyDerivation::Smb311(preauth),
            Dialect::SMB_3_0 | Dialect::SMB_3_0_2 => KeyDerivation::Smb30,
            _ => KeyDerivation::Smb2,
        };
        let signer = Signer::new(terms.signing, &derivation.signing_key(key))?;
        let keys = terms.cipher.and_then(|cipher| derivation.cipher_keys(key, cipher));
        let sealing = match keys {
            Some(keys) => {
                Some((Sealer::new(keys.server_to_client, session)?, Opener::new(keys.client_to_server, session)?))
            }
            None => None,
        };
        Ok(Keys { signer, sealing, must_be_signed, must_be_sealed })
    }
}
