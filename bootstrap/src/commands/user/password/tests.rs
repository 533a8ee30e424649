use rstest::rstest;

use super::*;

#[rstest]
#[case("secret\n", "secret")]
#[case("secret\r\nmore\n", "secret")]
#[case("  spaces stay  ", "  spaces stay  ")]
#[case("pässword\n", "pässword")]
fn a_password_is_the_first_line(#[case] input: &str, #[case] expected: &str) {
    assert_eq!(of_line(&mut input.as_bytes()).unwrap().as_str(), expected);
    let longest = "x".repeat(256);
    assert_eq!(of_line(&mut longest.as_bytes()).unwrap().as_str(), longest);
}

#[rstest]
#[case("", "empty")]
#[case("\nsecret\n", "empty")]
#[case("a\tb\n", "control")]
#[case(&"x".repeat(257), "256")]
#[case(&"𐐀".repeat(129), "256")]
#[case(&"x".repeat(1 << 20), "256")]
fn a_line_is_no_password(#[case] input: &str, #[case] expected: &str) {
    let error = of_line(&mut input.as_bytes()).unwrap_err();
    assert!(matches!(error, PasswordFault::Unfit(_)) && error.to_string().contains(expected), "{error}");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    assert!(matches!(of_line(&mut &b"\xff\xfe\n"[..]), Err(PasswordFault::Read(_))));
}
