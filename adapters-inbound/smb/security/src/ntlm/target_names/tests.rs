use super::*;
use crate::ntlm::av_pairs::AvPairs;

#[test]
fn standalone_server_is_its_own_domain() {
    let names = TargetNames::standalone("files.example.org").unwrap();
    assert_eq!(names, TargetNames::new("FILES", "FILES", "files.example.org", "example.org").unwrap());
    let names = TargetNames::standalone("nas").unwrap();
    assert_eq!(names, TargetNames::new("NAS", "NAS", "nas", "nas").unwrap());
}

#[test]
fn long_host_name_is_cut_for_netbios_only() {
    let names = TargetNames::standalone("a-very-long-host-name.lan").unwrap();
    assert_eq!(
        names,
        TargetNames::new("A-VERY-LONG-HOS", "A-VERY-LONG-HOS", "a-very-long-host-name.lan", "lan").unwrap()
    );
}

#[test]
fn empty_and_overlong_names_are_refused() {
    assert_eq!(TargetNames::standalone(""), Err(InvalidName));
    assert_eq!(TargetNames::standalone(".lan"), Err(InvalidName));
    assert_eq!(TargetNames::standalone(&"x".repeat(256)), Err(InvalidName));
    assert_eq!(TargetNames::new("ABCDEFGHIJKLMNOP", "D", "c", "d"), Err(InvalidName));
    assert!(TargetNames::standalone("nas.").is_ok());
}

#[test]
fn target_info_has_names_and_time_but_no_flags() {
    let list = TargetNames::standalone("nas.lan").unwrap().target_info(FileTime(0x0102_0304_0506_0708));
    let pairs = AvPairs::parse(&list).unwrap();
    let ids: Vec<u16> = pairs.iter().map(|pair| pair.0).collect();
    assert_eq!(ids, [2, 1, 4, 3, 7]);
    assert_eq!(pairs.find(av_pairs::TIMESTAMP), Some(&[8, 7, 6, 5, 4, 3, 2, 1][..]));
    assert_eq!(pairs.find(av_pairs::DNS_COMPUTER_NAME), Some(utf16("nas.lan").as_slice()));
}
