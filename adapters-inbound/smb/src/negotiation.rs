//! The terms on which client and server talk (MS-SMB2, 3.3.5.3 and 3.3.5.4).

use dittofs_smb_security::{sealing::Cipher, signing::SigningAlgorithm};
use dittofs_smb_wire::{
    NtStatus,
    dialect::Dialect,
    identifiers::Guid,
    negotiate::{Capabilities, NegotiateContext, NegotiateRequest, SecurityMode, algorithms},
};

use crate::protocol::{Encryption, SmbOptions};

/// The dialects, the newest first.
pub(crate) const DIALECTS: [Dialect; 5] =
    [Dialect::SMB_3_1_1, Dialect::SMB_3_0_2, Dialect::SMB_3_0, Dialect::SMB_2_1, Dialect::SMB_2_0_2];

/// In the order of what they cost: GMAC is six times faster than CMAC.
const SIGNING: [SigningAlgorithm; 3] =
    [SigningAlgorithm::AesGmac, SigningAlgorithm::AesCmac, SigningAlgorithm::HmacSha256];
/// In the order of what they cost.
const CIPHERS: [Cipher; 4] = [Cipher::Aes128Gcm, Cipher::Aes256Gcm, Cipher::Aes128Ccm, Cipher::Aes256Ccm];

/// Bytes of a read, a write or a query where the client can use several credits for one (SMB 2.1 and later).
pub(crate) const LARGE_IO_BYTES_MAX: u32 = 8 << 20;
/// The same where it can't.
pub(crate) const SMALL_IO_BYTES_MAX: u32 = 64 << 10;

/// The terms of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) dialect: Dialect,
    pub(crate) signing: SigningAlgorithm,
    /// The cipher of sealed messages; none where they can't be.
    pub(crate) cipher: Option<Cipher>,
    pub(crate) capabilities: Capabilities,
    pub(crate) security_mode: SecurityMode,
    /// The client's part, for [`crate::command::ioctl`] to compare.
    pub(crate) client: ClientTerms,
}

/// The part of the terms that the client has sent.
#[derive(Clone, Debug)]
pub(crate) struct ClientTerms {
    pub(crate) guid: Guid,
    pub(crate) capabilities: Capabilities,
    pub(crate) security_mode: SecurityMode,
}

impl Terms {
    /// Bytes of a read, a write or a query at most.
    pub(crate) fn io_bytes_max(&self) -> u32 {
        if self.capabilities.contains(Capabilities::LARGE_MTU) { LARGE_IO_BYTES_MAX } else { SMALL_IO_BYTES_MAX }
    }

    pub(crate) fn is_3_1_1(&self) -> bool {
        self.dialect == Dialect::SMB_3_1_1
    }
}

/// Chooses the terms, and the contexts of the response but for the salt.
///
/// # Errors
/// `NOT_SUPPORTED` without a common dialect; `INVALID_PARAMETER` where SMB 3.1.1 lacks what it needs.
pub(crate) fn negotiate(
    options: &SmbOptions,
    request: &NegotiateRequest,
    salt: [u8; 32],
) -> Result<(Terms, Vec<NegotiateContext>), NtStatus> {
    let is_common = |dialect: &Dialect| options.allows(*dialect) && request.dialects.contains(dialect);
    let dialect = DIALECTS.into_iter().find(is_common).ok_or(NtStatus::NOT_SUPPORTED)?;
    let (signing, cipher, contexts) = match dialect {
        Dialect::SMB_3_1_1 => of_contexts(options, &request.contexts, salt)?,
        Dialect::SMB_3_0 | Dialect::SMB_3_0_2 => {
            let can = request.capabilities.contains(Capabilities::ENCRYPTION) && options.encryption != Encryption::Off;
            (SigningAlgorithm::AesCmac, can.then_some(Cipher::Aes128Ccm), Vec::new())
        }
        _ => (SigningAlgorithm::HmacSha256, None, Vec::new()),
    };
    let mut capabilities = Capabilities::empty();
    capabilities.set(Capabilities::LARGE_MTU | Capabilities::LEASING, dialect != Dialect::SMB_2_0_2);
    capabilities.set(Capabilities::MULTI_CHANNEL, dialect.0 >= Dialect::SMB_3_0.0);
    let caches_directories = request.capabilities.contains(Capabilities::DIRECTORY_LEASING);
    capabilities.set(Capabilities::DIRECTORY_LEASING, dialect.0 >= Dialect::SMB_3_0.0 && caches_directories);
    let announces = dialect == Dialect::SMB_3_0 || dialect == Dialect::SMB_3_0_2;
    capabilities.set(Capabilities::ENCRYPTION, announces && cipher.is_some());
    let client = ClientTerms {
        guid: request.client_guid,
        capabilities: request.capabilities,
        security_mode: request.security_mode,
    };
    Ok((Terms { dialect, signing, cipher, capabilities, security_mode: security_mode(options), client }, contexts))
}

/// The server's demands for signing.
pub(crate) fn security_mode(options: &SmbOptions) -> SecurityMode {
    let mut mode = SecurityMode::SIGNING_ENABLED;
    mode.set(SecurityMode::SIGNING_REQUIRED, options.signing_required);
    mode
}

fn of_contexts(
    options: &SmbOptions,
    offered: &[NegotiateContext],
    salt: [u8; 32],
) -> Result<(SigningAlgorithm, Option<Cipher>, Vec<NegotiateContext>), NtStatus> {
    let mut contexts = Vec::new();
    let (mut signing, mut cipher) = (SigningAlgorithm::AesCmac, None);
    let mut has_hash = false;
    for context in offered {
        match context {
            NegotiateContext::PreauthIntegrity { hash_algorithms, .. } => {
                if has_hash || !hash_algorithms.contains(&algorithms::HashAlgorithm::SHA_512) {
                    return Err(NtStatus::SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP);
                }
                has_hash = true;
                contexts.push(NegotiateContext::PreauthIntegrity {
                    hash_algorithms: vec![algorithms::HashAlgorithm::SHA_512],
                    salt: salt.to_vec().into(),
                });
            }
            NegotiateContext::Encryption(offered) if options.encryption != Encryption::Off => {
                cipher = CIPHERS.into_iter().find(|cipher| offered.iter().any(|offer| offer.0 == cipher.id()));
                // Zero says that there is no common one.
                let chosen = algorithms::Cipher(cipher.map_or(0, Cipher::id));
                contexts.push(NegotiateContext::Encryption(vec![chosen]));
            }
            NegotiateContext::Signing(offered) => {
                let is_offered = |algorithm: &SigningAlgorithm| offered.iter().any(|offer| offer.0 == algorithm.id());
                if let Some(chosen) = SIGNING.into_iter().find(is_offered) {
                    signing = chosen;
                    contexts.push(NegotiateContext::Signing(vec![algorithms::SigningAlgorithm(chosen.id())]));
                }
            }
            _ => {}
        }
    }
    if has_hash { Ok((signing, cipher, contexts)) } else { Err(NtStatus::INVALID_PARAMETER) }
}

#[cfg(test)]
mod tests;
