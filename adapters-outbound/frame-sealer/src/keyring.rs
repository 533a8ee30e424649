//! Keys as a file has them: one a line, `ID HEX`, the last one seals.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use dittofs_domain::KeyId;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::master::{MASTER_BYTES, MasterKey};

/// Keys in one file. Eleven years of a new key each day; it bounds what a file that is no key file can cost.
pub const KEYS_MAX: usize = 4_096;
/// Digits of a fingerprint. A number has fewer.
const FINGERPRINT_DIGITS: usize = 16;

/// Keys by their fingerprint, and the one that seals new frames.
#[derive(Clone)]
pub struct Keyring {
    pub(crate) keys: BTreeMap<KeyId, MasterKey>,
    /// The fingerprints of keys that were known by a number, in the order of their lines. Where a key was lost and
    /// another one made, two can have the same number: both stay usable.
    pub(crate) numbers: BTreeMap<u32, Vec<KeyId>>,
    pub(crate) newest: KeyId,
}

/// Why a text is no keyring. Never quotes what stands there, which may be a key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyringError {
    /// A line is wrong.
    #[error("line {line}: {what}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// The fault, and the correction.
        what: String,
    },
    /// There is no key.
    #[error("there is no key in it: put it back from a copy")]
    Empty,
    /// There are too many keys.
    #[error("it has more than {KEYS_MAX} keys: remove those that `dittofs check` does not report any more")]
    TooMany,
}

/// The name that a line gives its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Word {
    Fingerprint(KeyId),
    Number(u32),
}

impl Keyring {
    /// Reads a text: a key a line, its fingerprint (16 hexadecimal digits) or number (1 to 4294967295), and 64
    /// hexadecimal digits. What follows a `#` and lines with nothing else are left out. The key of the last line seals.
    ///
    /// # Errors
    /// The first thing that is wrong, by its line.
    pub fn parse(text: &[u8]) -> Result<Keyring, KeyringError> {
        let mut lines_of = HashMap::new();
        let mut ring = Keyring { keys: BTreeMap::new(), numbers: BTreeMap::new(), newest: KeyId::NONE };
        for (line, number) in text.split(|byte| *byte == b'\n').zip(1..) {
            let wrong = |what: &str| KeyringError::Line { line: number, what: what.to_owned() };
            let Some((word, key)) = parsed_line(line).map_err(wrong)? else { continue };
            let id = key.id().ok_or_else(|| wrong("the key has no fingerprint"))?;
            if matches!(word, Word::Fingerprint(named) if named != id) {
                return Err(wrong(
                    "the key is not the one that the id before it names, so a digit of this line was changed: put the \
                     line back from a copy",
                ));
            }
            match lines_of.entry((word, id)) {
                Entry::Occupied(first) => {
                    let what = format!("line {} has the id already, and the same key: remove one of them", first.get());
                    return Err(wrong(&what));
                }
                Entry::Vacant(entry) => drop(entry.insert(number)),
            }
            if lines_of.len() > KEYS_MAX {
                return Err(KeyringError::TooMany);
            }
            if let Word::Number(number) = word {
                ring.numbers.entry(number).or_default().push(id);
            }
            ring.keys.insert(id, key);
            ring.newest = id;
        }
        if ring.newest.is_none() { Err(KeyringError::Empty) } else { Ok(ring) }
    }
}

/// Parses a line; none if the line says nothing.
fn parsed_line(line: &[u8]) -> Result<Option<(Word, MasterKey)>, &'static str> {
    let said = line.split(|byte| *byte == b'#').next().unwrap_or_default();
    let mut words = said.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let Some(word) = words.next() else { return Ok(None) };
    let word = parsed_word(word).ok_or(
        "it does not begin with a key's id: write `ID KEY`, the id being what `dittofs key add` wrote, or, for keys of \
         older releases, a number from 1 to 4294967295",
    )?;
    let key = words.next().and_then(parsed_key).filter(|_| words.next().is_none());
    let key = key.ok_or(
        "after the id there must be 64 hexadecimal digits and nothing else; if the line was cut off while it was \
         written, remove it",
    )?;
    Ok(Some((word, key)))
}

fn parsed_word(word: &[u8]) -> Option<Word> {
    let text = std::str::from_utf8(word).ok()?;
    if word.len() == FINGERPRINT_DIGITS {
        // `from_str_radix` also takes a plus sign, which belongs to no fingerprint.
        let bits = Some(text).filter(|_| word.iter().all(u8::is_ascii_hexdigit))?;
        let id = KeyId(u64::from_str_radix(bits, 16).ok()?);
        return id.is_fingerprint().then_some(Word::Fingerprint(id));
    }
    let digits = Some(text).filter(|_| word.iter().all(u8::is_ascii_digit))?;
    digits.parse().ok().filter(|number| *number > 0).map(Word::Number)
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
pub(crate) fn line_of(id: KeyId, key: &[u8; MASTER_BYTES]) -> Zeroizing<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut line = Zeroizing::new(String::with_capacity(FINGERPRINT_DIGITS + 2 + 2 * MASTER_BYTES));
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
