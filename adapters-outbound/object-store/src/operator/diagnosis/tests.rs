use opendal::{Error, ErrorKind};

use super::*;
use crate::TransferOptions;

fn remote() -> Remote {
    Remote::new("bucket `b` at nowhere".to_owned(), &TransferOptions::default()).unwrap()
}

/// As OpenDAL renders what S3 answers.
fn answered(kind: ErrorKind, code: &str, message: &str) -> Error {
    Error::new(kind, format!("S3Error {{ code: {code:?}, message: {message:?}, resource: \"\", request_id: \"\" }}"))
}

fn refused(error: &Error) -> String {
    match of("PutObject", error, &remote()) {
        Trouble::Refused(error) => error.to_string(),
        Trouble::Unreachable(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn the_region_that_is_named_is_reported() {
    let message = "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'";
    let text = refused(&answered(ErrorKind::Unexpected, "AuthorizationHeaderMalformed", message));
    assert!(text.contains("write `region: eu-west-1`"), "{text}");
    let message = "expecting 'something\\nelse'";
    let text = refused(&answered(ErrorKind::Unexpected, "AuthorizationHeaderMalformed", message));
    assert!(text.contains("correct `region`"), "{text}");
}

#[tokio::test]
async fn what_may_pass_is_not_a_refusal() {
    let slow = answered(ErrorKind::RateLimited, "SlowDown", "reduce your rate").set_temporary();
    let ill = answered(ErrorKind::Unexpected, "InternalError", "").set_persistent();
    let gone = Error::new(ErrorKind::Unexpected, format!("{NO_ANSWER}: connecting failed: refused")).set_temporary();
    for error in [slow, ill, gone] {
        assert!(matches!(of("GetObject", &error, &remote()), Trouble::Unreachable(_)), "{error}");
    }
}

#[tokio::test]
async fn what_nobody_knows_is_shortened() {
    let page = "<html>\n".repeat(1_000);
    let text = refused(&Error::new(ErrorKind::NotFound, page));
    assert!(text.len() < 1_000 && !text.contains('\n'), "{text}");
}
