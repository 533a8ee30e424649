use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{SUB_AUTHORITIES_MAX, Sid};

/// Text that isn't a SID.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("not a security identifier")]
pub struct InvalidSid;

/// Reads `S-1-authority-...`: the authority in decimal, or in hexadecimal with `0x`; the sub-authorities in decimal.
impl FromStr for Sid {
    type Err = InvalidSid;

    fn from_str(text: &str) -> Result<Self, InvalidSid> {
        let rest = text.strip_prefix("S-1-").or_else(|| text.strip_prefix("s-1-")).ok_or(InvalidSid)?;
        let mut parts = rest.split('-');
        let authority = parts.next().ok_or(InvalidSid)?;
        let authority = match authority.strip_prefix("0x").or_else(|| authority.strip_prefix("0X")) {
            Some(digits) => number(digits, 16)?,
            None => number(authority, 10)?,
        };
        let mut sub_authorities = Vec::new();
        for part in parts {
            if sub_authorities.len() == SUB_AUTHORITIES_MAX {
                return Err(InvalidSid);
            }
            sub_authorities.push(u32::try_from(number(part, 10)?).map_err(|_| InvalidSid)?);
        }
        Self::new(authority, &sub_authorities).ok_or(InvalidSid)
    }
}

/// A number of digits only: the parser of the standard library would accept a sign.
fn number(digits: &str, radix: u32) -> Result<u64, InvalidSid> {
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(InvalidSid);
    }
    u64::from_str_radix(digits, radix).map_err(|_| InvalidSid)
}

/// An authority of more than 32 bits is written in hexadecimal (MS-DTYP 2.4.2.1).
impl fmt::Display for Sid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if u32::try_from(self.authority).is_ok() {
            write!(formatter, "S-1-{}", self.authority)?;
        } else {
            write!(formatter, "S-1-0x{:012X}", self.authority)?;
        }
        self.sub_authorities().iter().try_for_each(|sub_authority| write!(formatter, "-{sub_authority}"))
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
