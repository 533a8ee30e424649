//! The section `adapters.smb`.

use std::net::SocketAddr;
use std::time::Duration;

use dittofs_smb::{Encryption, SmbLimits, SmbOptions};
use figment::value::Value;

use crate::config::section::Section;

const LISTEN_FIX: &str = "write ADDRESS:PORT, such as 127.0.0.1:12445 or \"[::1]:12445\"";
/// The dialects by their names.
const DIALECTS: [(&str, u16); 5] =
    [("2.0.2", 0x0202), ("2.1", 0x0210), ("3.0", 0x0300), ("3.0.2", 0x0302), ("3.1.1", 0x0311)];
const ENCRYPTION: [(&str, Encryption); 3] =
    [("off", Encryption::Off), ("offered", Encryption::Offered), ("required", Encryption::Required)];
/// The longest name that NetBIOS knows.
const NAME_MAX: usize = 15;
/// The longest that a logon may count, if not for ever: a year.
const LOGON_SECONDS_MAX: u64 = 366 * 86_400;

pub(in crate::config) fn read(mut section: Section<'_>) -> SmbOptions {
    let default = SmbOptions::default();
    let listen = section.take_parsed::<SocketAddr>("listen", LISTEN_FIX).unwrap_or(default.listen);
    let signing = section.take_choice("signing", &[("required", true), ("optional", false)]);
    let encryption = section.take_choice("encryption", &ENCRYPTION).unwrap_or(default.encryption);
    let dialect_min = take_dialect(&mut section, "dialect_min").unwrap_or(default.dialect_min);
    let dialect_max = take_dialect(&mut section, "dialect_max").unwrap_or(default.dialect_max);
    if dialect_min > dialect_max {
        section.refuse("dialect_min", "is newer than dialect_max", "leave one of them out");
    }
    if encryption == Encryption::Required && dialect_max < 0x0300 {
        section.refuse("encryption", "no dialect before 3.0 has it", "allow dialect_max: 3.1.1");
    }
    let server_name = read_name(&mut section).unwrap_or(default.server_name);
    let limits = read_limits(section.take_section("limits"), &default.limits);
    section.finish();
    let signing_required = signing.unwrap_or(default.signing_required);
    SmbOptions { listen, signing_required, encryption, dialect_min, dialect_max, server_name, limits }
}

/// A dialect. YAML takes some of their names for numbers.
fn take_dialect(section: &mut Section<'_>, name: &'static str) -> Option<u16> {
    let value = section.take(name)?;
    let text = match &value {
        Value::Num(_, number) => number.to_f64().map(|number| format!("{number:?}")),
        value => value.as_str().map(str::to_owned),
    };
    let found = DIALECTS.iter().find(|(word, _)| text.as_deref() == Some(*word));
    if found.is_none() {
        let words: Vec<&str> = DIALECTS.iter().map(|(word, _)| *word).collect();
        section.refuse(name, "is no dialect of SMB", format!("write one of: {}", words.join(", ")));
    }
    found.map(|(_, dialect)| *dialect)
}

fn read_name(section: &mut Section<'_>) -> Option<String> {
    let name = section.take_text("server_name")?;
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if name.is_empty() || name.len() > NAME_MAX || !is_name(&name) {
        let fix = format!("write up to {NAME_MAX} letters, digits and dashes");
        section.refuse("server_name", "is no name that clients take", fix);
        return None;
    }
    Some(name.to_ascii_uppercase())
}

fn read_limits(mut section: Section<'_>, default: &SmbLimits) -> SmbLimits {
    let mut count = |name, max, default: usize| {
        let number = section.take_number(name, 1..=max);
        number.and_then(|number| usize::try_from(number).ok()).unwrap_or(default)
    };
    let sessions = count("sessions", 65_536, default.sessions);
    let trees = count("trees", 65_536, default.trees);
    let opens = count("opens", 1_000_000, default.opens);
    let in_flight = count("in_flight", 8_192, default.in_flight);
    let mut seconds = |name, default| section.take_number(name, 1..=3_600).map_or(default, Duration::from_secs);
    let stall = seconds("stall_seconds", default.stall);
    let users = seconds("users_seconds", default.users);
    let drain = seconds("drain_seconds", default.drain);
    let logon = section.take_number("logon_seconds", 1..=LOGON_SECONDS_MAX).map(Duration::from_secs);
    section.finish();
    SmbLimits { sessions, trees, opens, in_flight, stall, users, logon, drain }
}
