use super::*;

fn arguments(syntax: Syntax, level: u32) -> Bytes {
    let mut writer = NdrWriter::new(syntax);
    writer.null();
    writer.u32(level);
    writer.into_stub()
}

#[test]
fn name_and_domain_are_told_on_levels_100_and_101() {
    let server = Server::new("files", "workgroup");
    for syntax in [Syntax::Ndr32, Syntax::Ndr64] {
        for level in [100, 101] {
            let mut results = NdrReader::new(call(0, arguments(syntax, level), syntax, &server).unwrap(), syntax);
            assert_eq!((results.discriminant(), results.pointer()), (Ok(level), Ok(true)));
            assert_eq!((results.u32(), results.pointer(), results.pointer()), (Ok(500), Ok(true), Ok(true)));
            assert_eq!((results.u32(), results.u32()), (Ok(10), Ok(0)));
            if level == 101 {
                assert_eq!(results.pointer(), Ok(true));
            }
            results.align_word().unwrap();
            assert_eq!((results.string(), results.string()), (Ok("files".into()), Ok("workgroup".into())));
            if level == 101 {
                assert_eq!(results.string(), Ok(String::new()));
            }
            assert_eq!((results.u32(), results.remaining()), (Ok(0), 0));
        }
    }
}

#[test]
fn other_levels_are_refused() {
    let server = Server::new("files", "workgroup");
    for (level, expected) in [(102, ERROR_ACCESS_DENIED), (502, ERROR_ACCESS_DENIED)] {
        let results = call(0, arguments(Syntax::Ndr32, level), Syntax::Ndr32, &server).unwrap();
        assert_eq!(results.last_chunk(), Some(&expected.to_le_bytes()));
    }
    let unknown = call(0, arguments(Syntax::Ndr32, 1_013), Syntax::Ndr32, &server);
    assert_eq!(unknown, Err(Fault::INVALID_TAG));
    assert_eq!(call(1, Bytes::new(), Syntax::Ndr32, &server), Err(Fault::OP_RNG_ERROR));
}
