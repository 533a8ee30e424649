use bytes::Bytes;
use dittofs_xdr::{Decode, Decoder, XdrError};
use smallvec::SmallVec;

/// Who a call says that it comes from. Nothing here is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// `AUTH_NONE`.
    None,
    /// `AUTH_SYS`.
    Sys(AuthSys),
    /// A flavour that isn't served. It stays data, since the call is answered with AUTH_ERROR.
    Unknown(u32),
    /// A flavour that is served, with a body that isn't what the flavour wants.
    Malformed,
}

/// The body of an `AUTH_SYS` credential (RFC 5531 appendix A), without its stamp.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuthSys {
    /// The client's own name for itself, at most 255 bytes.
    pub machine_name: Bytes,
    /// The caller's effective user.
    pub uid: u32,
    /// The caller's effective group.
    pub gid: u32,
    /// The caller's other groups, at most 16.
    pub gids: SmallVec<[u32; 16]>,
}

/// Why a call's credential is refused (RFC 5531 section 9, `auth_stat`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum AuthStat {
    BadCred = 1,
    RejectedCred = 2,
    BadVerf = 3,
    RejectedVerf = 4,
    TooWeak = 5,
}

const AUTH_NONE: u32 = 0;
const AUTH_SYS: u32 = 1;
/// The longest body of a credential or verifier (RFC 5531 section 8.2).
const BODY_BYTES_MAX: usize = 400;
const MACHINE_NAME_BYTES_MAX: usize = 255;
const GIDS_MAX: usize = 16;

impl Credential {
    /// Reads a credential. A body that is wrong for its flavour isn't an error here: it makes a [`Credential::Malformed`].
    pub(crate) fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        let flavour = decoder.u32()?;
        let body = decoder.opaque(usize::MAX)?;
        let too_long = body.len() > BODY_BYTES_MAX;
        Ok(match flavour {
            AUTH_NONE if body.is_empty() => Self::None,
            AUTH_SYS if !too_long => AuthSys::from_body(body).map_or(Self::Malformed, Self::Sys),
            AUTH_NONE | AUTH_SYS => Self::Malformed,
            other => Self::Unknown(other),
        })
    }

    /// Skips a verifier: none of the served flavours uses it.
    pub(crate) fn skip_verifier(decoder: &mut Decoder) -> Result<(), XdrError> {
        decoder.u32()?;
        decoder.opaque_slice(usize::MAX)?;
        Ok(())
    }
}

impl AuthSys {
    fn from_body(body: Bytes) -> Result<Self, XdrError> {
        let mut decoder = Decoder::new(body);
        let this = decoder.get()?;
        decoder.finish()?;
        Ok(this)
    }
}

impl Decode for AuthSys {
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        let _stamp = decoder.u32()?;
        let machine_name = decoder.opaque(MACHINE_NAME_BYTES_MAX)?;
        let uid = decoder.u32()?;
        let gid = decoder.u32()?;
        let mut gids = SmallVec::new();
        for _ in 0..decoder.count(GIDS_MAX)? {
            gids.push(decoder.u32()?);
        }
        Ok(Self { machine_name, uid, gid, gids })
    }
}
