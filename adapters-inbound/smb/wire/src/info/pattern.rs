//! Search patterns of QUERY_DIRECTORY (MS-FSA 2.1.4.4).

use thiserror::Error;

/// The longest pattern, in characters. A name has at most 255, so a pattern that can match anything needs no more than
/// a wildcard before each of them; beyond that a pattern only costs time.
pub const PATTERN_LENGTH_MAX: usize = 1024;

/// A pattern that no client needs: STATUS_OBJECT_NAME_INVALID.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the search pattern is too long")]
pub struct PatternTooLong;

/// A search pattern, ready to be compared with many names.
///
/// | wildcard | matches |
/// | --- | --- |
/// | `*` | zero or more characters |
/// | `?` | one character |
/// | `<` (DOS_STAR) | zero or more characters, up to and with the last dot of the name |
/// | `>` (DOS_QM) | one character other than a dot; in front of a dot and at the end, nothing |
/// | `"` (DOS_DOT) | a dot; at the end, nothing |
///
/// The comparison ignores the case if `fold` gives the same character for both cases. Patterns are made and compared
/// with the same `fold`. A character outside of the basic plane counts as one character.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    tokens: Vec<Token>,
    /// `*` and `*.*` match all names.
    matches_all: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token {
    Literal(char),
    Star,
    QuestionMark,
    DosStar,
    DosQuestionMark,
    DosDot,
}

impl Pattern {
    /// Reads a pattern.
    pub fn new(text: &str, fold: &dyn Fn(char) -> char) -> Result<Self, PatternTooLong> {
        if text.chars().nth(PATTERN_LENGTH_MAX).is_some() {
            return Err(PatternTooLong);
        }
        let mut tokens: Vec<Token> = text.chars().map(|character| Token::new(character, fold)).collect();
        tokens.dedup_by(|later, earlier| *later == Token::Star && *earlier == Token::Star);
        Ok(Self { tokens, matches_all: matches!(text, "*" | "*.*") })
    }

    /// The pattern has wildcards; else it matches at most one name of a directory.
    #[must_use]
    pub fn has_wildcards(&self) -> bool {
        !self.tokens.iter().all(|token| matches!(token, Token::Literal(_)))
    }

    /// The pattern matches all names.
    #[must_use]
    pub fn matches_all(&self) -> bool {
        self.matches_all
    }

    /// How many steps it takes at most to compare the pattern with a name of so many characters.
    #[must_use]
    pub fn steps(&self, name_length: usize) -> usize {
        if self.matches_all { 1 } else { self.tokens.len() * name_length }
    }

    /// The whole name matches the pattern. Takes time in proportion to the product of both lengths at most.
    #[must_use]
    pub fn matches(&self, name: &str, fold: &dyn Fn(char) -> char) -> bool {
        if name.is_empty() || self.tokens.is_empty() {
            return name.is_empty() && self.tokens.is_empty();
        }
        if self.matches_all {
            return true;
        }
        let last_dot = name.rfind('.');
        let mut states = States::new();
        states.insert(0);
        for (index, character) in name.char_indices() {
            states = self.step(states, character, last_dot == Some(index), fold);
            if states.is_empty() {
                return false;
            }
        }
        self.accepts(states)
    }

    /// The positions in the pattern after one more character of the name. A token that may match nothing passes its
    /// position on to the one behind it, which the same pass reaches later.
    fn step(&self, mut states: States, character: char, is_last_dot: bool, fold: &dyn Fn(char) -> char) -> States {
        let folded = fold(character);
        let mut next = States::new();
        for (position, token) in self.tokens.iter().enumerate() {
            if !states.contains(position) {
                continue;
            }
            match token {
                Token::Star => {
                    next.insert(position);
                    states.insert(position + 1);
                }
                Token::DosStar => {
                    next.insert(if is_last_dot { position + 1 } else { position });
                    states.insert(position + 1);
                }
                Token::DosQuestionMark if character == '.' => states.insert(position + 1),
                Token::DosDot if character != '.' => {}
                Token::Literal(literal) if *literal != folded => {}
                Token::QuestionMark | Token::DosQuestionMark | Token::DosDot | Token::Literal(_) => {
                    next.insert(position + 1);
                }
            }
        }
        next
    }

    /// The rest of the pattern can match nothing: the name has come to its end.
    fn accepts(&self, mut states: States) -> bool {
        for (position, token) in self.tokens.iter().enumerate() {
            let matches_nothing = !matches!(token, Token::Literal(_) | Token::QuestionMark);
            if matches_nothing && states.contains(position) {
                states.insert(position + 1);
            }
        }
        states.contains(self.tokens.len())
    }
}

impl Token {
    fn new(character: char, fold: &dyn Fn(char) -> char) -> Self {
        match character {
            '*' => Self::Star,
            '?' => Self::QuestionMark,
            '<' => Self::DosStar,
            '>' => Self::DosQuestionMark,
            '"' => Self::DosDot,
            literal => Self::Literal(fold(literal)),
        }
    }
}

/// A set of positions in a pattern, its end included.
struct States {
    words: [u64; PATTERN_LENGTH_MAX / 64 + 1],
}

impl States {
    fn new() -> Self {
        Self { words: [0; PATTERN_LENGTH_MAX / 64 + 1] }
    }

    fn insert(&mut self, position: usize) {
        if let Some(word) = self.words.get_mut(position / 64) {
            *word |= 1 << (position % 64);
        }
    }

    fn contains(&self, position: usize) -> bool {
        self.words.get(position / 64).is_some_and(|word| word & 1 << (position % 64) != 0)
    }

    fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }
}

#[cfg(test)]
mod tests;
