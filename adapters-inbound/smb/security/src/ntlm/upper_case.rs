//! Upper case as Windows has it, which differs from that of Unicode.

/// User names of UTF-16LE in upper case.
///
/// Windows maps each unit of 16 bits by a table. Compared with Unicode, these letters are not in it:
/// - those whose capital is not one letter, such as `ß`;
/// - those that lower case does not map back to, such as `ı`, whose capital is `I`. Only the final sigma is in it;
/// - those outside of the basic plane;
/// - those that got a capital after the table was made.
///
/// Samba's table is older. Its client sends another response for a name with a letter such as `ș`, and is refused.
pub(crate) fn upper_case(text: &[u8]) -> Vec<u8> {
    let units = text.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
    units.flat_map(|unit| upper_case_unit(unit).to_le_bytes()).collect()
}

const FINAL_SIGMA: char = 'ς';

fn upper_case_unit(unit: u16) -> u16 {
    let mapped = char::from_u32(u32::from(unit)).filter(|lower| !is_late(*lower)).and_then(|lower| {
        let upper = only(lower.to_uppercase())?;
        let is_undone = only(upper.to_lowercase()) == Some(lower);
        if is_undone || lower == FINAL_SIGMA { u16::try_from(u32::from(upper)).ok() } else { None }
    });
    mapped.unwrap_or(unit)
}

/// Georgian and Cherokee letters, which got case in Unicode 8 and 11.
fn is_late(letter: char) -> bool {
    matches!(letter, '\u{10d0}'..='\u{10ff}' | '\u{13f8}'..='\u{13fd}' | '\u{ab70}'..='\u{abbf}')
}

fn only(mut letters: impl Iterator<Item = char>) -> Option<char> {
    let first = letters.next()?;
    if letters.next().is_none() { Some(first) } else { None }
}

#[cfg(test)]
mod tests;
