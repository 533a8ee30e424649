//! Keys as a file has them: one a line, `ID HEX`, the last one seals.

use std::collections::{BTreeMap, btree_map::Entry};

use thiserror::Error;
use zeroize::Zeroizing;

use crate::master::{MASTER_BYTES, MasterKey};

/// Keys in one file.
pub const KEYS_MAX: usize = 4_096;

/// Keys by their id, and the one that seals new frames.
#[derive(Clone)]
pub struct Keyring {
    pub(crate) keys: BTreeMap<u32, MasterKey>,
    pub(crate) newest: u32,
}

/// Why a text is no keyring. Never quotes what stands there, which may be a key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyringError {
    /// A line is wrong.
    #[error("line {line}: {what}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong, and what to write.
        what: String,
    },
    /// There is no key.
    #[error("there is no key in it: `dittofs key add FILE` makes one")]
    Empty,
    /// There are too many keys.
    #[error("it has more than {KEYS_MAX} keys: remove those that `dittofs check` does not tell any more")]
    TooMany,
}

impl Keyring {
    /// Reads a text: a key a line, its id (1 to 4294967295) and 64 hexadecimal digits. What follows a `#` and lines
    /// with nothing else are left out. The key of the last line seals.
    ///
    /// # Errors
    /// The first thing that is wrong, by its line.
    pub fn parse(text: &[u8]) -> Result<Keyring, KeyringError> {
        let mut lines_of = BTreeMap::new();
        let mut ring = Keyring { keys: BTreeMap::new(), newest: 0 };
        for (line, number) in text.split(|byte| *byte == b'\n').zip(1..) {
            let wrong = |what: &str| KeyringError::Line { line: number, what: what.to_owned() };
            let told = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            let mut words = told.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let Some(id) = words.next() else { continue };
            let id = parsed_id(id).ok_or_else(|| {
                wrong("it does not begin with a key's id: write `ID KEY`, the id being a number from 1 to 4294967295")
            })?;
            let key = words.next().and_then(parsed_key).filter(|_| words.next().is_none());
            let key = key.ok_or_else(|| {
                wrong(
                    "after the id there must be 64 hexadecimal digits and nothing else; if the line was cut off while it \
                     was written, remove it",
                )
            })?;
            match lines_of.entry(id) {
                Entry::Occupied(first) => {
                    let what = format!("line {} has the id {id} already: each key needs its own", first.get());
                    return Err(wrong(&what));
                }
                Entry::Vacant(entry) => entry.insert(number),
            };
            if ring.keys.len() == KEYS_MAX {
                return Err(KeyringError::TooMany);
            }
            ring.keys.insert(id, key);
            ring.newest = id;
        }
        if ring.newest == 0 { Err(KeyringError::Empty) } else { Ok(ring) }
    }

    /// The key that seals.
    pub fn newest(&self) -> u32 {
        self.newest
    }

    /// The ids of all keys.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.keys.keys().copied()
    }
}

fn parsed_id(word: &[u8]) -> Option<u32> {
    // What `parse` takes beside digits, a plus sign, is no id.
    let digits = std::str::from_utf8(word).ok().filter(|_| word.iter().all(u8::is_ascii_digit))?;
    digits.parse().ok().filter(|id| *id > 0)
}

fn parsed_key(word: &[u8]) -> Option<MasterKey> {
    if word.len() != 2 * MASTER_BYTES {
        return None;
    }
    let mut key = Zeroizing::new([0; MASTER_BYTES]);
    for (byte, pair) in key.iter_mut().zip(word.chunks_exact(2)) {
        let digits = std::str::from_utf8(pair).ok().filter(|_| pair.iter().all(u8::is_ascii_hexdigit))?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(MasterKey::new(*key))
}

/// A key as a line of a file.
pub(crate) fn line_of(id: u32, key: &[u8; MASTER_BYTES]) -> Zeroizing<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut line = Zeroizing::new(String::with_capacity(12 + 2 * MASTER_BYTES));
    line.push_str(&id.to_string());
    line.push(' ');
    for byte in key {
        for digit in [byte >> 4, byte & 15] {
            line.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    line.push('\n');
    line
}
