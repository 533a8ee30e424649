//! The mechanisms that a client can offer.

/// SPNEGO itself, 1.3.6.1.5.5.2.
pub(crate) const SPNEGO: &[u8] = &[0x2b, 6, 1, 5, 5, 2];
const NTLM: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 0x0a];
const KERBEROS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2];
const MICROSOFT_KERBEROS: &[u8] = &[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 1, 2, 2];
const NEGOEX: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 0x1e];

/// A mechanism of authentication (MS-SPNG 1.9).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mechanism {
    /// NTLM, 1.3.6.1.4.1.311.2.2.10.
    Ntlm,
    /// Kerberos, 1.2.840.113554.1.2.2.
    Kerberos,
    /// Kerberos under the number that Windows 2000 gave it by mistake, 1.2.840.48018.1.2.2. Windows still offers it
    /// first.
    MicrosoftKerberos,
    /// The extended negotiation of Microsoft, 1.3.6.1.4.1.311.2.2.30.
    NegoEx,
    /// Another one.
    Other,
}

impl Mechanism {
    /// The mechanism with this object identifier, which is the content of its DER.
    pub(crate) fn from_identifier(identifier: &[u8]) -> Self {
        [Self::Ntlm, Self::Kerberos, Self::MicrosoftKerberos, Self::NegoEx]
            .into_iter()
            .find(|mechanism| mechanism.identifier() == identifier)
            .unwrap_or(Self::Other)
    }

    /// The content of the object identifier's DER; empty for [`Mechanism::Other`].
    pub(crate) fn identifier(self) -> &'static [u8] {
        match self {
            Self::Ntlm => NTLM,
            Self::Kerberos => KERBEROS,
            Self::MicrosoftKerberos => MICROSOFT_KERBEROS,
            Self::NegoEx => NEGOEX,
            Self::Other => &[],
        }
    }
}
