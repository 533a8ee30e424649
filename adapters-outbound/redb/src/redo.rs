//! The changes of a transaction to the tables, as bytes: enough to redo them, and to know which cached rows are old.

use crate::{codec::Reader, fault::Fault, tables::Kind};

/// Marks the removal of a record, beside its kind.
const REMOVED: u8 = 0x80;
const MALFORMED: &str = "a record of the log has steps that make no sense";

/// The steps of one transaction, in order. Of each: kind and whether the record is removed (1), length of the key (2),
/// length of the value (4), key, value.
#[derive(Default)]
pub(crate) struct Redo {
    bytes: Vec<u8>,
    steps: u64,
}

/// One record that is put in place or removed.
pub(crate) struct Step<'a> {
    pub(crate) kind: Kind,
    pub(crate) key: &'a [u8],
    pub(crate) value: Option<&'a [u8]>,
}

impl Redo {
    pub(crate) fn push(&mut self, kind: Kind, key: &[u8], value: Option<&[u8]>) {
        self.steps += 1;
        self.bytes.push(kind as u8 | if value.is_none() { REMOVED } else { 0 });
        let value = value.unwrap_or_default();
        self.bytes.extend_from_slice(&(key.len() as u16).to_le_bytes());
        self.bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many steps there are.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }
}

/// Gives each step to `take`.
///
/// # Errors
/// Reports the error of `take`; `Damaged` for bytes that are no steps.
pub(crate) fn for_each_step<'a>(
    bytes: &'a [u8],
    mut take: impl FnMut(Step<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut reader = Reader::new(bytes);
    while !reader.is_at_end() {
        take(step(&mut reader).ok_or_else(|| Fault::damaged(MALFORMED))?)?;
    }
    Ok(())
}

fn step<'a>(reader: &mut Reader<'a>) -> Option<Step<'a>> {
    let kind = reader.u8()?;
    let (key, value) = (reader.u16()?, reader.u32()?);
    let (key, value) = (reader.bytes(key.into())?, reader.bytes(value as usize)?);
    let is_removed = kind & REMOVED != 0;
    if is_removed && !value.is_empty() {
        return None;
    }
    Some(Step { kind: Kind::of(kind & !REMOVED)?, key, value: (!is_removed).then_some(value) })
}

#[cfg(test)]
mod tests;
