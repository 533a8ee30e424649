use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::ndr::{NdrWriter, Value};
use crate::server::Share;

const SYNTAXES: [Syntax; 2] = [Syntax::Ndr32, Syntax::Ndr64];

/// The results of NetrShareEnum and NetrShareEnumSticky.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Listing {
    entries: Vec<(String, u32, String)>,
    total: u32,
    resume_handle: Option<u32>,
    status: u32,
}

/// Lists shares on level 1.
fn list(opnum: u16, syntax: Syntax, server: &Server, preferred_bytes: u32, resume_handle: Option<u32>) -> Listing {
    let stub = enum_arguments(syntax, 1, &[], preferred_bytes, resume_handle);
    let mut reader = NdrReader::new(call(opnum, stub, syntax, server).unwrap(), syntax);
    assert_eq!((reader.u32(), reader.discriminant(), reader.pointer()), (Ok(1), Ok(1), Ok(true)));
    let count = usize::try_from(reader.u32().unwrap()).unwrap();
    let mut entries = Vec::new();
    if reader.pointer().unwrap() {
        assert_eq!(reader.count(), Ok(count));
        let types: Vec<_> = (0..count)
            .map(|_| {
                assert_eq!(reader.pointer(), Ok(true));
                let share_type = reader.u32().unwrap();
                assert_eq!(reader.pointer(), Ok(true));
                share_type
            })
            .collect();
        let entry = |share_type| (reader.string().unwrap(), share_type, reader.string().unwrap());
        entries = types.into_iter().map(entry).collect();
    }
    assert_eq!(entries.len(), count);
    let total = reader.u32().unwrap();
    let resume_handle = if reader.pointer().unwrap() { Some(reader.u32().unwrap()) } else { None };
    let listing = Listing { entries, total, resume_handle, status: reader.u32().unwrap() };
    assert_eq!(reader.remaining(), 0);
    listing
}

/// Arguments of NetrShareEnum whose container holds these entries.
fn enum_arguments(
    syntax: Syntax,
    level: u32,
    entries: &[Vec<Value<'_>>],
    preferred_bytes: u32,
    resume_handle: Option<u32>,
) -> Bytes {
    let mut writer = NdrWriter::new(syntax);
    writer.null();
    writer.u32(level);
    writer.discriminant(level);
    writer.pointer();
    writer.align_word();
    writer.u32(u32::try_from(entries.len()).unwrap());
    if entries.is_empty() {
        writer.null();
    } else {
        writer.pointer();
        writer.count(entries.len());
        writer.structures(entries);
    }
    writer.u32(preferred_bytes);
    match resume_handle {
        Some(resume_handle) => {
            writer.pointer();
            writer.u32(resume_handle);
        }
        None => writer.null(),
    }
    writer.into_stub()
}

fn share() -> impl Strategy<Value = Share> {
    let text = || any::<String>().prop_map(|text| text.replace('\0', ""));
    (text(), text(), any::<bool>(), any::<bool>()).prop_map(|(name, comment, special, listed)| Share {
        comment,
        special,
        listed,
        ..Share::disk(name)
    })
}

fn server(shares: Vec<Share>) -> Server {
    let mut server = Server::new("server", "domain");
    server.shares = shares;
    server
}

proptest! {
    #[test]
    fn all_listed_shares_are_listed(syntax in 0..2_usize, shares in vec(share(), 0..10)) {
        let expected = |sticky: bool| -> Vec<_> {
            let shown = shares.iter().filter(|share| share.listed && !(sticky && share.special));
            shown.map(|share| (share.name.clone(), share.share_type(), share.comment.clone())).collect()
        };
        let server = server(shares.clone());
        for (opnum, sticky) in [(15, false), (36, true)] {
            let entries = expected(sticky);
            let total = u32::try_from(entries.len()).unwrap();
            let listing = list(opnum, SYNTAXES[syntax], &server, u32::MAX, None);
            prop_assert_eq!(listing, Listing { entries, total, resume_handle: None, status: 0 });
        }
    }

    #[test]
    fn pages_hold_each_share_once(
        syntax in 0..2_usize,
        shares in vec(share(), 0..10),
        preferred_bytes in 0..2_000_u32,
    ) {
        let server = server(shares);
        let whole = list(15, SYNTAXES[syntax], &server, u32::MAX, Some(0));
        prop_assert_eq!(whole.resume_handle, Some(0));
        let (mut entries, mut resume_handle) = (Vec::new(), 0);
        loop {
            let page = list(15, SYNTAXES[syntax], &server, preferred_bytes, Some(resume_handle));
            prop_assert_eq!(page.total + resume_handle, whole.total);
            entries.extend(page.entries);
            let next = page.resume_handle.unwrap();
            if page.status == 0 {
                prop_assert_eq!(next, 0);
                break;
            }
            prop_assert_eq!(page.status, 234);
            prop_assert!(next > resume_handle);
            resume_handle = next;
        }
        prop_assert_eq!(entries, whole.entries);
    }

    #[test]
    fn any_resume_handle_is_survived(resume_handle in any::<u32>()) {
        let listing = list(15, Syntax::Ndr32, &server(vec![Share::ipc()]), u32::MAX, Some(resume_handle));
        prop_assert_eq!(listing.entries.len(), usize::from(resume_handle == 0));
    }
}

#[test]
fn a_listing_is_bounded_and_goes_on() {
    let comment = "c".repeat(10_000);
    let shares = (0..100).map(|number| Share { comment: comment.clone(), ..Share::disk(format!("{number}")) });
    let server = server(shares.collect());
    let stub = call(15, enum_arguments(Syntax::Ndr64, 1, &[], u32::MAX, None), Syntax::Ndr64, &server).unwrap();
    assert!(stub.len() <= MAX_RESPONSE_BYTES + 128);
    let first = list(15, Syntax::Ndr64, &server, u32::MAX, Some(0));
    assert_eq!((first.status, first.total), (234, 100));
    let second = list(15, Syntax::Ndr64, &server, u32::MAX, first.resume_handle);
    assert_eq!((second.status, first.entries.len() + second.entries.len()), (0, 100));
}

#[test]
fn entries_in_the_arguments_are_ignored() {
    let server = server(vec![Share::disk("files")]);
    let text = [Value::Text("netname"), Value::Number(0), Value::Null, Value::Number(0), Value::Number(0)];
    let rest = [Value::Number(0), Value::Text("path"), Value::Text("passwd")];
    let entry = [&text[..], &rest].concat();
    for syntax in SYNTAXES {
        let with = enum_arguments(syntax, 2, &[entry.clone(), entry.clone()], u32::MAX, Some(7));
        let without = enum_arguments(syntax, 2, &[], u32::MAX, Some(7));
        assert_ne!(with.len(), without.len());
        assert_eq!(call(15, with, syntax, &server).unwrap(), call(15, without, syntax, &server).unwrap());
    }
}

#[test]
fn a_number_of_entries_that_are_not_there_is_a_fault() {
    for count in [1_u32, 1_000, u32::MAX] {
        let words = [0, 1, 1, 4, count, 8, count];
        let stub = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let result = call(15, stub, Syntax::Ndr32, &server(Vec::new()));
        assert_eq!(result, Err(Fault::BAD_STUB_DATA));
    }
}

/// The status that a call returns at its end.
fn status(opnum: u16, stub: Bytes, syntax: Syntax, server: &Server) -> u32 {
    let results = call(opnum, stub, syntax, server).unwrap();
    u32::from_le_bytes(*results.last_chunk().unwrap())
}

#[test]
fn levels_are_answered_or_refused() {
    let server = server(vec![Share::disk("files")]);
    for syntax in SYNTAXES {
        let enumerate = |level| enum_arguments(syntax, level, &[], u32::MAX, None);
        for (level, all, sticky) in [(0, 0, 0), (1, 0, 0), (501, 0, 124), (2, 5, 5), (502, 5, 5), (503, 5, 5)] {
            assert_eq!(status(15, enumerate(level), syntax, &server), all, "{level}");
            assert_eq!(status(36, enumerate(level), syntax, &server), sticky, "{level}");
        }
        assert_eq!(call(15, enumerate(1005), syntax, &server), Err(Fault::INVALID_TAG));

        let get_info = |name, level| {
            let mut writer = NdrWriter::new(syntax);
            writer.structures(&[vec![Value::Text("server")]]);
            let mut name_only = NdrWriter::new(syntax);
            name_only.structures(&[vec![Value::Text(name)]]);
            // A reference to a string is the string alone.
            let mut stub = writer.into_stub().to_vec();
            stub.resize(stub.len().next_multiple_of(syntax.word_bytes()), 0);
            stub.extend_from_slice(&name_only.into_stub()[syntax.word_bytes()..]);
            stub.resize(stub.len().next_multiple_of(4), 0);
            stub.extend_from_slice(&u32::to_le_bytes(level));
            Bytes::from(stub)
        };
        for (level, expected) in
            [(0, 0), (1, 0), (2, 0), (501, 0), (502, 0), (1005, 0), (503, 5), (1004, 124), (9, 124)]
        {
            assert_eq!(status(16, get_info("FILES", level), syntax, &server), expected, "{level}");
        }
        assert_eq!(status(16, get_info("file", 1), syntax, &server), 2310);

        let server_info = |level: u32| {
            let mut writer = NdrWriter::new(syntax);
            writer.null();
            writer.u32(level);
            writer.into_stub()
        };
        for (level, expected) in [(100, 0), (101, 0), (102, 0), (103, 5), (502, 5), (503, 5)] {
            assert_eq!(status(21, server_info(level), syntax, &server), expected, "{level}");
        }
        assert_eq!(call(21, server_info(1005), syntax, &server), Err(Fault::INVALID_TAG));
    }
}

#[test]
fn a_share_that_is_not_listed_answers_to_its_name_in_any_case() {
    let server = server(vec![Share { listed: false, ..Share::disk("Ärger") }]);
    assert!(list(15, Syntax::Ndr32, &server, u32::MAX, None).entries.is_empty());
    assert!(server.share("äRGER").is_some());
    assert!(server.share("Ärge").is_none());
}

#[test]
fn types_are_those_of_the_standard() {
    assert_eq!(Share::disk("files").share_type(), 0);
    assert_eq!(Share::ipc().share_type(), 0x8000_0003);
}
