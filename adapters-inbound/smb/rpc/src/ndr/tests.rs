use proptest::collection::vec;
use proptest::prelude::*;

use super::{NdrReader, NdrWriter, Syntax, Value};
use crate::cursor::Malformed;
use crate::pdu::SyntaxId;

const SYNTAXES: [Syntax; 2] = [Syntax::Ndr32, Syntax::Ndr64];

/// A member of a structure, with its text.
#[derive(Clone, Debug)]
enum Member {
    Number(u32),
    Text(String),
    Null,
}

impl Member {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Number(number) => Value::Number(*number),
            Self::Text(text) => Value::Text(text),
            Self::Null => Value::Null,
        }
    }
}

fn member() -> impl Strategy<Value = Member> {
    let text = any::<String>().prop_map(|text| Member::Text(text.replace('\0', "")));
    prop_oneof![any::<u32>().prop_map(Member::Number), text, Just(Member::Null)]
}

proptest! {
    #[test]
    fn structures_are_read_as_they_were_written(syntax in 0..2_usize, structures in vec(vec(member(), 1..8), 0..5)) {
        let syntax = SYNTAXES[syntax];
        let values: Vec<Vec<_>> =
            structures.iter().map(|members| members.iter().map(Member::value).collect()).collect();
        let mut writer = NdrWriter::new(syntax);
        writer.structures(&values);
        writer.u32(0xabcd);
        let stub = writer.into_stub();
        let bound: usize = values.iter().flatten().map(|value| value.encoded_bytes(syntax)).sum();
        prop_assert!(stub.len() <= bound + syntax.word_bytes() + 4);

        let mut reader = NdrReader::new(stub, syntax);
        for structure in &structures {
            let has_pointer = structure.iter().any(|member| !matches!(member, Member::Number(_)));
            if has_pointer { reader.align_word().unwrap() };
            for member in structure {
                match member {
                    Member::Number(number) => prop_assert_eq!(reader.u32(), Ok(*number)),
                    Member::Text(_) => prop_assert_eq!(reader.pointer(), Ok(true)),
                    Member::Null => prop_assert_eq!(reader.pointer(), Ok(false)),
                }
            }
            if has_pointer { reader.align_word().unwrap() };
        }
        for member in structures.iter().flatten() {
            if let Member::Text(text) = member {
                prop_assert_eq!(&reader.string().unwrap(), text);
            }
        }
        prop_assert_eq!(reader.u32(), Ok(0xabcd));
        prop_assert_eq!(reader.remaining(), 0);
    }
}

#[test]
fn a_string_ends_at_its_first_end_mark() {
    let stub = [4_u32, 0, 4].iter().flat_map(|word| word.to_le_bytes()).chain(*b"a\0b\0\0\0c\0").collect();
    assert_eq!(NdrReader::new(stub, Syntax::Ndr32).string(), Ok("ab".into()));
}

#[test]
fn a_string_without_end_mark_is_read() {
    let stub = [2_u32, 0, 2].iter().flat_map(|word| word.to_le_bytes()).chain(*b"a\0b\0").collect();
    assert_eq!(NdrReader::new(stub, Syntax::Ndr32).string(), Ok("ab".into()));
}

#[test]
fn a_string_that_is_not_utf16_is_empty() {
    let stub = [1_u32, 0, 1].iter().flat_map(|word| word.to_le_bytes()).chain([0x00, 0xd8]).collect();
    assert_eq!(NdrReader::new(stub, Syntax::Ndr32).string(), Ok(String::new()));
}

#[test]
fn a_string_longer_than_its_array_or_the_stub_is_malformed() {
    for counts in [[1_u32, 0, 2], [2, 1, 2], [3, 0, 3], [u32::MAX, 0, u32::MAX]] {
        let stub = counts.iter().flat_map(|word| word.to_le_bytes()).chain(*b"a\0b\0").collect();
        assert_eq!(NdrReader::new(stub, Syntax::Ndr32).string(), Err(Malformed), "{counts:?}");
    }
    let stub = [u64::MAX, 0, u64::MAX].iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(NdrReader::new(stub, Syntax::Ndr64).string(), Err(Malformed));
}

#[test]
fn words_are_aligned_to_their_size() {
    for (syntax, size) in [(Syntax::Ndr32, 12), (Syntax::Ndr64, 24)] {
        let mut writer = NdrWriter::new(syntax);
        writer.u32(1);
        writer.pointer();
        writer.discriminant(2);
        let stub = writer.into_stub();
        assert_eq!(stub.len(), size);
        let mut reader = NdrReader::new(stub, syntax);
        assert_eq!((reader.u32(), reader.pointer(), reader.discriminant()), (Ok(1), Ok(true), Ok(2)));
    }
}

#[test]
fn syntaxes_are_named_by_the_uuids_of_the_standards() {
    let name = |SyntaxId { uuid, version }| (uuid.map(|byte| format!("{byte:02x}")).concat(), version);
    assert_eq!(name(Syntax::Ndr32.id()), ("045d888aeb1cc9119fe808002b104860".into(), 2));
    assert_eq!(name(Syntax::Ndr64.id()), ("33057171babe37498319b5dbef9ccc36".into(), 1));
}
