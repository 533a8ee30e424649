use super::*;
use crate::message::OutgoingMessage;

fn decoded(command: Command, status: NtStatus, body: &Response) -> Result<Response, Malformed> {
    let header = Header::request(command, 1).response(status, 1);
    let message = OutgoingMessage::new(&header, body).into_contiguous().freeze();
    Response::decode(&header, &message)
}

#[test]
fn errors_are_told_from_partial_results() {
    let partial = Response::Output(OutputBufferResponse { output: Bytes::from_static(b"part") });
    let error = Response::Error(ErrorResponse::Empty);
    let cases = [
        (Command::QUERY_INFO, NtStatus::BUFFER_OVERFLOW, &partial),
        (Command::QUERY_INFO, NtStatus::ACCESS_DENIED, &error),
        (Command::QUERY_DIRECTORY, NtStatus::NO_MORE_FILES, &error),
        (Command::CHANGE_NOTIFY, NtStatus::PENDING, &error),
        (Command::CHANGE_NOTIFY, NtStatus::NOTIFY_CLEANUP, &error),
        (Command::LOGOFF, NtStatus::USER_SESSION_DELETED, &error),
    ];
    for (command, status, body) in cases {
        assert_eq!(decoded(command, status, body).as_ref(), Ok(body), "{command:?} {status:?}");
    }
}

#[test]
fn token_of_an_unfinished_logon_is_read() {
    let body = Response::SessionSetup(SessionSetupResponse {
        flags: Default::default(),
        security_buffer: Bytes::from_static(b"token"),
    });
    assert_eq!(decoded(Command::SESSION_SETUP, NtStatus::MORE_PROCESSING_REQUIRED, &body), Ok(body));
}
