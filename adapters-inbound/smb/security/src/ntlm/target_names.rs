//! The names by which a server tells who it is.

use thiserror::Error;

use super::{av_pairs, message::utf16};
use crate::FileTime;

/// A NetBIOS name has at most so many characters.
const NETBIOS_LENGTH_MAX: usize = 15;
/// A name in the DNS has at most so many characters.
const DNS_LENGTH_MAX: usize = 255;

/// A name that is empty, or too long for what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("a NetBIOS name must have 1 to 15 characters, a DNS name 1 to 255")]
pub struct InvalidName;

/// The names of a server, as its challenge tells them to clients (MS-NLMP 2.2.2.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetNames {
    netbios_computer: String,
    netbios_domain: String,
    dns_computer: String,
    dns_domain: String,
}

impl TargetNames {
    /// The names of a server that is a member of a domain.
    ///
    /// # Errors
    /// If a name is empty or too long.
    pub fn new(
        netbios_computer: &str,
        netbios_domain: &str,
        dns_computer: &str,
        dns_domain: &str,
    ) -> Result<Self, InvalidName> {
        let checked = |name: &str, length_max| match name.encode_utf16().count() {
            length if length == 0 || length > length_max => Err(InvalidName),
            _ => Ok(name.to_owned()),
        };
        Ok(Self {
            netbios_computer: checked(netbios_computer, NETBIOS_LENGTH_MAX)?,
            netbios_domain: checked(netbios_domain, NETBIOS_LENGTH_MAX)?,
            dns_computer: checked(dns_computer, DNS_LENGTH_MAX)?,
            dns_domain: checked(dns_domain, DNS_LENGTH_MAX)?,
        })
    }

    /// The names of a server without a domain, from its host name: `files.example.org` is computer `FILES` in the
    /// domain `FILES`, as a Windows server without a domain tells it.
    ///
    /// # Errors
    /// If the host name is empty or too long, or starts with a dot.
    pub fn standalone(host_name: &str) -> Result<Self, InvalidName> {
        let (computer, domain) = host_name.split_once('.').unwrap_or((host_name, host_name));
        let netbios: String = computer.to_uppercase().chars().take(NETBIOS_LENGTH_MAX).collect();
        Self::new(&netbios, &netbios, host_name, if domain.is_empty() { host_name } else { domain })
    }

    /// The server's NetBIOS name.
    pub(crate) fn netbios_computer(&self) -> &str {
        &self.netbios_computer
    }

    /// The list of pairs for a challenge. It has a timestamp, without which clients send no integrity code, and no
    /// flags, which only clients have.
    pub(crate) fn target_info(&self, now: FileTime) -> Vec<u8> {
        let mut list = Vec::with_capacity(256);
        av_pairs::put(&mut list, av_pairs::NB_DOMAIN_NAME, &utf16(&self.netbios_domain));
        av_pairs::put(&mut list, av_pairs::NB_COMPUTER_NAME, &utf16(&self.netbios_computer));
        av_pairs::put(&mut list, av_pairs::DNS_DOMAIN_NAME, &utf16(&self.dns_domain));
        av_pairs::put(&mut list, av_pairs::DNS_COMPUTER_NAME, &utf16(&self.dns_computer));
        av_pairs::put(&mut list, av_pairs::TIMESTAMP, &now.0.to_le_bytes());
        av_pairs::put_end(&mut list);
        list
    }
}

#[cfg(test)]
mod tests;
