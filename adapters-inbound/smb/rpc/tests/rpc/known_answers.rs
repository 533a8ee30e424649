//! Bytes that other implementations send, and the bytes that they would answer.

use crate::client::{NDR32, NDR64, bound, hex, pdu, read_message, request, results, server};
use dittofs_smb_rpc::Pipe;

#[test]
fn results_are_those_of_samba_to_the_byte() {
    let server = server(2);
    let lines = include_str!("samba.txt").lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for line in lines {
        let [name, syntax, opnum, stub, answer] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let mut pipe = bound(name, if syntax == "ndr64" { NDR64 } else { NDR32 }, &server);
        pipe.write(&request(opnum.parse().unwrap(), &hex(stub), &[]), &server).unwrap();
        assert_eq!(results(&mut pipe, usize::MAX), hex(answer), "{line}");
        count += 1;
    }
    assert_eq!(count, 38);
}

/// These bytes are those of smbclient 4.17 for `smbclient -L`.
#[test]
fn smbclient_gets_a_list() {
    let server = server(1);
    let mut pipe = Pipe::open("srvsvc").unwrap();
    let bind = hex("05000b03100000004800000001000000b810b810000000000100000000000100
         c84f324b7016d30112785a47bf6ee18803000000045d888aeb1cc9119fe808002b10486002000000");
    let ack = pipe.transceive(&bind, 4280, &server).unwrap().unwrap();
    let expected = hex("05000c03100000004400000001000000b810b810010000000d005c504950455c7372767376630000
         01000000 00000000 045d888aeb1cc9119fe808002b10486002000000");
    assert_eq!((ack.bytes.to_vec(), ack.overflow), (expected, false));
    let request = hex("05000003100000005c000000020000004400000000000f00000002000a000000000000000a000000
         3100320037002e0030002e0030002e003100000001000000010000000400020000000000
         00000000ffffffff0800020000000000");
    let answer = pipe.transceive(&request, 1024, &server).unwrap().unwrap();
    assert_eq!(&answer.bytes[..4], &[5, 0, 2, 3]);
    assert!(!answer.overflow);
    assert_eq!(pipe.read(1024), Ok(None));
}

/// Windows proposes NDR32, NDR64 and its features, each in an element of its own.
#[test]
fn windows_is_answered_with_ndr32_and_the_feature_of_orphans() {
    let server = server(1);
    let mut pipe = Pipe::open("srvsvc").unwrap();
    let interface = "c84f324b7016d30112785a47bf6ee18803000000";
    let features = "2c1cb76c12984045030000000000000001000000";
    let body = hex(&format!(
        "b810b810 00000000 03000000 00000100 {interface} {NDR32} 01000100 {interface} {NDR64} \
         02000100 {interface} {features}"
    ));
    pipe.write(&pdu(11, 3, 2, &body), &server).unwrap();
    let ack = read_message(&mut pipe, usize::MAX).unwrap();
    let none = "00".repeat(20);
    let expected = hex(&format!("03000000 00000000 {NDR32} 02000200 {none} 03000200 {none}"));
    assert_eq!(&ack[40..], &expected);
}
