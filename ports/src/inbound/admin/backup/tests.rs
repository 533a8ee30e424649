use super::*;

#[test]
fn a_message_names_ten_files_and_says_how_many_more_there_are() {
    let of = |count: usize| {
        let files = (0..count).map(|number| format!("/f{number}")).collect();
        BackupError::Damaged { share: "/export".into(), files }.to_string()
    };
    assert!(of(1).contains("the newest bytes of /f0 in /export"), "{}", of(1));
    assert!(of(10).contains("/f8, /f9 in /export"), "{}", of(10));
    assert!(of(12).contains("/f8, /f9, and 2 more in /export"), "{}", of(12));
}
