use super::super::{message::payload_at, response, *};
use crate::{FileTime, NtHash, Refusal, hex};

const CHALLENGE_4_2_4: &str = "
    4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef0000000000000000240024004400000006007017
    0000000f53006500720076006500720002000c0044006f006d00610069006e0001000c0053006500720076006500720000000000";
const AUTHENTICATE_4_2_4: &str = "
    4e544c4d5353500003000000180018006c00000054005400840000000c000c00480000000800080054000000100010005c000000
    10001000d8000000358288e20501280a0000000f44006f006d00610069006e00550073006500720043004f004d00500055005400
    4500520086c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa68cd0ab851e51c96aabc927bebef6a1c0101000000000000
    0000000000000000aaaaaaaaaaaaaaaa0000000002000c0044006f006d00610069006e0001000c00530065007200760065007200
    0000000000000000c5dad2544fc9799094ce1ce90bc9d03e";

fn user(logon: Logon) -> Authentication {
    match logon {
        Logon::User(authentication) => *authentication,
        Logon::Anonymous => panic!("not anonymous"),
    }
}

#[test]
fn keys_and_proof_are_those_of_the_standards_example() {
    // MS-NLMP 4.2.4.1, 4.2.4.2
    let key =
        response::response_key(&NtHash::of_password("Password"), &message::utf16("User"), &message::utf16("Domain"));
    assert_eq!(*key, hex::array("0c868a403bfd7a93a3001ef22ef02e3f"));
    let message = hex::decode(AUTHENTICATE_4_2_4);
    let response = payload_at(&message, 20).unwrap().bytes;
    let proof = response::proof(&key, hex::array("0123456789abcdef"), &response[16..]);
    assert_eq!(proof, hex::array("68cd0ab851e51c96aabc927bebef6a1c"));
    let session_key = response::session_base_key(&key, &proof);
    assert_eq!(*session_key, hex::array("8de40ccadbc14a82f15cb0ad0de95ca3"));
}

#[test]
fn response_of_the_standards_example_is_accepted() {
    // MS-NLMP 4.2.4.3: no integrity code, and the client chooses the key.
    let exchange = Exchange::of_messages(Vec::new(), hex::decode(CHALLENGE_4_2_4));
    let authentication = user(exchange.respond(&hex::decode(AUTHENTICATE_4_2_4)).unwrap());
    let identity =
        Identity { user: "User".to_owned(), domain: "Domain".to_owned(), workstation: "COMPUTER".to_owned() };
    assert_eq!(authentication.identity(), &identity);
    let verified = authentication.verify(Some(&NtHash::of_password("Password"))).unwrap();
    assert_eq!(verified.session_key.full(), [0x55; 16]);
}

#[test]
fn response_of_the_standards_example_is_refused_with_another_password() {
    for hash in [None, Some(NtHash::of_password("password"))] {
        let exchange = Exchange::of_messages(Vec::new(), hex::decode(CHALLENGE_4_2_4));
        let authentication = user(exchange.respond(&hex::decode(AUTHENTICATE_4_2_4)).unwrap());
        assert_eq!(authentication.verify(hash.as_ref()).err(), Some(Refusal::Credentials));
    }
}

#[test]
fn responses_of_version_1_are_refused() {
    // MS-NLMP 4.2.2.5 and 4.2.3.5: NTLM version 1, without and with extended session security.
    let version_1 = "
        4e544c4d5353500003000000180018006c00000018001800840000000c000c00480000000800080054000000100010005c000000
        100010009c000000358280e20501280a0000000f44006f006d00610069006e00550073006500720043004f004d00500055005400
        4500520098def7b87f88aa5dafe2df779688a172def11c7d5ccdef1367c43011f30298a2ad35ece64f16331c44bdbed927841f94
        518822b1b3f350c8958682ecbb3e3cb7";
    let extended = "
        4e544c4d5353500003000000180018006c00000018001800840000000c000c00480000000800080054000000100010005c000000
        000000009c000000358208820501280a0000000f44006f006d00610069006e00550073006500720043004f004d00500055005400
        45005200aaaaaaaaaaaaaaaa0000000000000000000000000000000075 37f803ae367128ca458204bde7caf81e97ed2683267232";
    for message in [version_1, extended] {
        let refused = Exchange::of_messages(Vec::new(), hex::decode(CHALLENGE_4_2_4)).respond(&hex::decode(message));
        assert_eq!(refused.err(), Some(Refusal::ObsoleteResponse));
    }
}

#[test]
fn challenge_has_the_fields_of_the_standards_example() {
    // MS-NLMP 4.2.4.3, which tells fewer names than we do, no time, and allows text that is not Unicode.
    let expected = hex::decode(CHALLENGE_4_2_4);
    let negotiate = client::Client::new("User", "Domain", "Password").negotiate();
    let names = TargetNames::new("Server", "Domain", "server", "domain").unwrap();
    let exchange = challenge(&negotiate, &names, hex::array("0123456789abcdef"), FileTime(0)).unwrap();
    let message = exchange.message();
    assert_eq!(message[..12], expected[..12]);
    assert_eq!(payload_at(message, 12).unwrap().bytes, payload_at(&expected, 12).unwrap().bytes);
    assert_eq!(message[24..40], expected[24..40]);
    let ours = payload_at(message, 40).unwrap().bytes;
    let theirs = payload_at(&expected, 40).unwrap().bytes;
    let (theirs, end) = theirs.split_at(theirs.len() - 4);
    assert!(ours.starts_with(theirs) && ours.ends_with(end));
}
