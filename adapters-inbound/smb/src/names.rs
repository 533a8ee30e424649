//! Names that SMB can't express, in characters that it can.
//!
//! Other protocols allow all bytes but `/` and 0 in a name. Each name is shown as text that leads back to it:
//! - characters that Windows forbids are those of the private-use area that macOS and Linux clients take for them
//!   (Services for Macintosh: U+F001 to U+F029);
//! - a byte that is part of no character is U+F000 plus the byte, as Cygwin has it;
//! - so are the bytes of a character that is one of these itself.

use dittofs_domain::{Name, error::FsResult};

/// The private-use area of both.
const AREA: u32 = 0xf000;
/// Characters that Windows forbids, in the order of U+F020 and those that follow.
const FORBIDDEN: [char; 8] = ['"', '*', ':', '<', '>', '?', '\\', '|'];
const FIRST_FORBIDDEN: u32 = AREA + 0x20;
/// A space and a dot, at the end of a name only.
const AT_END: [char; 2] = [' ', '.'];
const FIRST_AT_END: u32 = FIRST_FORBIDDEN + FORBIDDEN.len() as u32;
const LAST: u32 = FIRST_AT_END + AT_END.len() as u32 - 1;

/// A name as clients see it.
pub(crate) fn shown(name: &Name) -> String {
    let mut text = String::with_capacity(name.as_bytes().len());
    for chunk in name.as_bytes().utf8_chunks() {
        for char in chunk.valid().chars() {
            match replacement(char) {
                Some(other) => text.push(other),
                None if original(char).is_some() => {
                    text.extend(char.encode_utf8(&mut [0; 4]).bytes().map(of_byte));
                }
                None => text.push(char),
            }
        }
        text.extend(chunk.invalid().iter().copied().map(of_byte));
    }
    let last = text.chars().next_back();
    if let Some((last, place)) = last.and_then(|last| Some((last, AT_END.iter().position(|char| *char == last)?))) {
        text.truncate(text.len() - last.len_utf8());
        text.push(private(FIRST_AT_END + place as u32));
    }
    text
}

/// The name that a client means. Characters that Windows forbids stand for themselves, too.
///
/// # Errors
/// `Invalid` and `NameTooLong`, for what can't be a name.
pub(crate) fn stored(text: &str) -> FsResult<Name> {
    let mut bytes = Vec::with_capacity(text.len());
    for char in text.chars() {
        match original(char) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Name::new(&bytes)
}

/// The name of a stream as clients see it: as one of them has written it.
pub(crate) fn stream_shown(name: &Name) -> String {
    String::from_utf8_lossy(name.as_bytes()).into_owned()
}

/// The character that is shown in place of one that Windows forbids.
fn replacement(char: char) -> Option<char> {
    let place = FORBIDDEN.iter().position(|forbidden| *forbidden == char);
    match u32::from(char) {
        code @ 1..0x20 => Some(private(AREA + code)),
        _ => place.map(|place| private(FIRST_FORBIDDEN + place as u32)),
    }
}

/// The byte that a private-use character stands for.
fn original(char: char) -> Option<u8> {
    let code = u32::from(char);
    match code {
        FIRST_AT_END..=LAST => Some(AT_END[(code - FIRST_AT_END) as usize] as u8),
        FIRST_FORBIDDEN..FIRST_AT_END => Some(FORBIDDEN[(code - FIRST_FORBIDDEN) as usize] as u8),
        0xf001..0xf020 | 0xf080..0xf100 => Some((code - AREA) as u8),
        _ => None,
    }
}

fn of_byte(byte: u8) -> char {
    private(AREA + u32::from(byte))
}

fn private(code: u32) -> char {
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests;
