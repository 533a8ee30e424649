//! How people mount a share: a line for each system.

use std::net::{IpAddr, SocketAddr};

use dittofs_smb_wire::dialect::Dialect;

use super::{Encryption, SmbOptions};

/// The port that clients take where nobody names one.
const USUAL_PORT: u16 = 445;
/// Stands for the server where it listens on all addresses.
const SERVER: &str = "SERVER";

/// The commands that mount a share of this name, which may demand encryption, from a server at this address.
pub(super) fn commands(
    address: SocketAddr,
    options: &SmbOptions,
    (share, must_be_sealed): (&str, bool),
) -> Vec<String> {
    vec![linux(address, options, (share, must_be_sealed)), macos(address, share), windows(address, share)]
}

fn linux(address: SocketAddr, options: &SmbOptions, (share, must_be_sealed): (&str, bool)) -> String {
    let mut words = Vec::new();
    // Its client offers nothing older by itself.
    if options.dialect_max == Dialect::SMB_2_0_2.0 {
        words.push("vers=2.0".to_owned());
    }
    if address.port() != USUAL_PORT {
        words.push(format!("port={}", address.port()));
    }
    // A client that demands what the server does is not talked out of it by somebody in between.
    if must_be_sealed || options.encryption == Encryption::Required {
        words.push("seal".to_owned());
    } else if options.signing_required {
        words.push("sign".to_owned());
    }
    words.extend(["username=USER", "nosuid", "nodev"].map(str::to_owned));
    let host = host(address.ip(), |ip| ip.to_string());
    format!("mount -t cifs -o {} {} /mnt", words.join(","), for_shell(&format!("//{host}/{share}")))
}

fn macos(address: SocketAddr, share: &str) -> String {
    let host = host(address.ip(), |ip| if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() });
    let port = if address.port() == USUAL_PORT { String::new() } else { format!(":{}", address.port()) };
    format!("macOS: mount_smbfs //USER@{host}{port}/{} /private/mnt", percent_encoded(share))
}

fn windows(address: SocketAddr, share: &str) -> String {
    // A colon can't be in such a path, and this domain stands for addresses that have some.
    let literal = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("{}.ipv6-literal.net", ip.to_string().replace(':', "-")),
    };
    let path = format!("\\\\{}\\{share}", host(address.ip(), literal));
    let path = if path.contains(' ') { format!("\"{path}\"") } else { path };
    match address.port() {
        USUAL_PORT => format!("Windows: net use X: {path} /user:USER"),
        port => format!(
            "Windows 11 24H2, Windows Server 2025: net use X: {path} /user:USER /tcpport:{port} (older versions connect to \
             port {USUAL_PORT} only: `adapters.smb.listen`)"
        ),
    }
}

fn host(ip: IpAddr, written: impl FnOnce(IpAddr) -> String) -> String {
    if ip.is_unspecified() { SERVER.to_owned() } else { written(ip) }
}

/// A word of a shell's command line.
fn for_shell(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.:_-".contains(&byte) || !byte.is_ascii();
    if word.bytes().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// A part of a path in a URL (RFC 3986, 2.1).
fn percent_encoded(part: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    part.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests;
