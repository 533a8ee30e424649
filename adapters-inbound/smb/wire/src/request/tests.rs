use super::*;
use crate::sample::Sample;

#[test]
fn commands_without_content_have_four_bytes() {
    let empty = Sample::body(4).u16(0, 4).message();
    for (command, request) in [
        (Command::LOGOFF, Request::Logoff),
        (Command::TREE_DISCONNECT, Request::TreeDisconnect),
        (Command::CANCEL, Request::Cancel),
        (Command::ECHO, Request::Echo),
    ] {
        assert_eq!(Request::decode(command, &empty), Ok(request.clone()));
        assert_eq!(request.command(), command);
        let wrong = Sample::body(4).u16(0, 5).message();
        assert_eq!(Request::decode(command, &wrong), Err(RequestError::Malformed(Malformed)));
    }
}

#[test]
fn fixed_requests_have_the_fields_of_the_standard() {
    let flush = Sample::body(24).u16(0, 24).u64(8, 0x1111).u64(16, 0x2222).message();
    let file_id = crate::identifiers::FileId { persistent: 0x1111, volatile: 0x2222 };
    assert_eq!(Request::decode(Command::FLUSH, &flush), Ok(Request::Flush(FlushRequest { file_id })));

    let notify =
        Sample::body(32).u16(0, 32).u16(2, 1).u32(4, 4096).u64(8, 0x1111).u64(16, 0x2222).u32(24, 0x17F).message();
    let expected = ChangeNotifyRequest {
        flags: crate::change_notify::ChangeNotifyFlags::WATCH_TREE,
        output_buffer_length: 4096,
        file_id,
        completion_filter: crate::change_notify::CompletionFilter::from_bits_retain(0x17F),
    };
    assert_eq!(Request::decode(Command::CHANGE_NOTIFY, &notify), Ok(Request::ChangeNotify(expected)));
}

#[test]
fn unknown_commands_are_told_from_malformed_bodies() {
    let message = Sample::body(4).message();
    for command in [Command(0x14), Command(0xFFFF), Command::SERVER_TO_CLIENT_NOTIFICATION] {
        assert_eq!(Request::decode(command, &message), Err(RequestError::UnknownCommand(command)));
    }
}

#[test]
fn message_shorter_than_its_header_is_malformed() {
    for (command, _) in crate::fuzz::BODIES {
        for length in [0, 63, 64, 65] {
            let message = Bytes::from(vec![0; length]);
            assert_eq!(Request::decode(*command, &message), Err(RequestError::Malformed(Malformed)), "{command:?}");
        }
    }
}
