use super::*;

/// A bind that is answered by a rejection of 21 bytes, for it proposes nothing.
const EMPTY_BIND: [u8; 28] =
    [5, 0, 11, 3, 0x10, 0, 0, 0, 28, 0, 0, 0, 1, 0, 0, 0, 0xb8, 0x10, 0xb8, 0x10, 0, 0, 0, 0, 0, 0, 0, 0];
const REJECTION_BYTES: usize = 21;

fn server() -> Server {
    Server::new("server", "domain")
}

fn pipe() -> Pipe {
    Pipe::open("srvsvc").unwrap()
}

#[test]
fn pipes_are_opened_by_name() {
    for name in ["srvsvc", "SRVSVC", "\\srvsvc", "\\PIPE\\srvsvc", "pipe\\WkSsvc", "wkssvc"] {
        assert!(Pipe::open(name).is_some(), "{name}");
    }
    for name in ["", "lsarpc", "srvsvc2", "pipe\\", "pipesrvsvc", "srvsvc\\"] {
        assert!(Pipe::open(name).is_none(), "{name}");
    }
}

#[test]
fn a_read_waits_while_nothing_is_answered() {
    let mut pipe = pipe();
    assert_eq!(pipe.read(100), Ok(None));
    pipe.write(&EMPTY_BIND[..27], &server()).unwrap();
    assert_eq!(pipe.read(100), Ok(None));
    assert_eq!(pipe.unread_bytes(), 0);
    pipe.write(&EMPTY_BIND[27..], &server()).unwrap();
    assert_eq!(pipe.unread_bytes(), REJECTION_BYTES);
}

#[test]
fn a_message_is_read_in_parts() {
    let mut pipe = pipe();
    let reply = pipe.transceive(&EMPTY_BIND, 16, &server()).unwrap().unwrap();
    assert_eq!((reply.bytes.len(), reply.overflow), (16, true));
    let reply = pipe.read(0).unwrap().unwrap();
    assert_eq!((reply.bytes.len(), reply.overflow), (0, true));
    let reply = pipe.read(100).unwrap().unwrap();
    assert_eq!((reply.bytes.len(), reply.overflow), (REJECTION_BYTES - 16, false));
}

#[test]
fn a_rejected_client_is_disconnected_once_it_has_read() {
    let mut pipe = pipe();
    pipe.write(&EMPTY_BIND, &server()).unwrap();
    assert_eq!(pipe.write(&EMPTY_BIND, &server()), Err(PipeError::Disconnected));
    assert_eq!(pipe.transceive(&EMPTY_BIND, 100, &server()), Err(PipeError::Disconnected));
    assert!(pipe.read(100).unwrap().is_some());
    assert_eq!(pipe.read(100), Err(PipeError::Disconnected));
}

#[test]
fn a_transceive_needs_an_empty_pipe() {
    let mut pipe = pipe();
    let bind = [
        &[5, 0, 11, 3, 0x10, 0, 0, 0, 72, 0, 0, 0, 1, 0, 0, 0, 0xb8, 0x10, 0xb8, 0x10, 0, 0, 0, 0, 1, 0, 0, 0][..],
        &[0, 0, 1, 0],
        &[0; 40],
    ]
    .concat();
    pipe.write(&bind, &server()).unwrap();
    assert_eq!(pipe.transceive(&[], 100, &server()), Err(PipeError::Busy));
    assert!(pipe.read(100).unwrap().is_some());
    assert_eq!(pipe.transceive(&[], 100, &server()), Ok(None));
}

#[test]
fn bytes_that_are_no_pdu_end_the_association() {
    let mut pipe = pipe();
    pipe.write(&[0; 16], &server()).unwrap();
    assert_eq!(pipe.read(100), Err(PipeError::Disconnected));
}
