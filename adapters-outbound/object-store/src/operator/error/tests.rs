use super::*;

#[test]
fn a_condition_that_does_not_hold_is_known_by_its_kind_or_by_googles_word() {
    for kind in [ErrorKind::ConditionNotMatch, ErrorKind::AlreadyExists] {
        assert!(is_known_already(&Error::new(kind, "")), "{kind}");
    }
    let answer =
        r#"GcsErrorResponse { error: GcsError { code: 412, errors: [GcsErrorDetail { reason: "conditionNotMet" }] } }"#;
    assert!(is_known_already(&Error::new(ErrorKind::Unexpected, answer)));
    assert!(!is_known_already(&Error::new(ErrorKind::Unexpected, "GcsErrorResponse { code: 500 }")));
}
