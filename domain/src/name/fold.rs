//! Names that differ in case only.

use super::Name;

/// How names are folded: two names whose folded forms are equal are one name to a client that ignores case. A share
/// keeps the table that it was made with, as its index of folded names rests on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FoldTable {
    /// Of a name that is UTF-8, each character becomes the lower case of its upper case, where that is one character
    /// each time. So the forms of a letter that share an upper case are equal: σ and ς, s and ſ, k and the Kelvin
    /// sign. Of any other name only the letters of ASCII fold.
    ///
    /// - Everything that NTFS makes equal by upper case is equal here. Like there, ß is not ss, and ı and İ are not
    ///   i.
    /// - The characters are those of Unicode 17. A test holds their checksum: a compiler that knows more letters must
    ///   not change this table, but let its new letters be.
    /// - Names are not normalized: é is not e with an accent after it.
    V1 = 1,
}

impl FoldTable {
    /// The one that a new share gets.
    pub const NEWEST: FoldTable = FoldTable::V1;

    /// The table of a number, as stores keep it; none for one that only a newer program knows.
    pub const fn of(number: u8) -> Option<FoldTable> {
        match number {
            1 => Some(FoldTable::V1),
            _ => None,
        }
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The folded form of a name, where that is another name; none for a name that is folded already, as most are.
    ///
    /// A form that would be longer than names may be is none either: such a name is equal to no other. (Lower case of
    /// a few letters takes more bytes than upper case.)
    pub fn fold(self, name: &Name) -> Option<Name> {
        if name.is_plain() {
            return None;
        }
        let bytes = name.as_bytes();
        let folded = match std::str::from_utf8(bytes) {
            Ok(text) => text.chars().map(|letter| self.fold_char(letter)).collect::<String>().into_bytes(),
            Err(_) => bytes.to_ascii_lowercase(),
        };
        // No character folds to `/` or NUL, nor to a dot.
        (folded != bytes && folded.len() <= Name::MAX_BYTES).then(|| Name(folded.into()))
    }

    /// The folded form of a name, which may be the name itself.
    pub fn folded(self, name: &Name) -> Name {
        self.fold(name).unwrap_or_else(|| name.clone())
    }

    /// The folded form of one character of a name that is UTF-8.
    pub fn fold_char(self, letter: char) -> char {
        match (self, letter) {
            // Its upper case is I, but it is another letter than i to whoever uses it.
            (FoldTable::V1, 'ı') => letter,
            (FoldTable::V1, _) => {
                let upper = only(letter.to_uppercase()).unwrap_or(letter);
                only(upper.to_lowercase()).unwrap_or(letter)
            }
        }
    }
}

impl Default for FoldTable {
    fn default() -> FoldTable {
        FoldTable::NEWEST
    }
}

/// The only one of some characters.
fn only(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|_| letters.next().is_none())
}

impl Name {
    /// Whether no table folds it to another name, and that is plain at a glance: it is ASCII without capital letters.
    pub fn is_plain(&self) -> bool {
        self.as_bytes().iter().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    }
}
