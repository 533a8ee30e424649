use super::*;

fn read(text: &str) -> Result<S3Options, serde_json::Error> {
    serde_json::from_str(text)
}

#[test]
fn secrets_are_not_shown() {
    let keys = r#"{"from": "keys", "access_key_id": "AK", "secret_access_key": "hush"}"#;
    let options = read(&format!(r#"{{"bucket": "b", "credentials": {keys}}}"#)).unwrap();
    let shown = format!("{options:?}");
    assert!(shown.contains("AK") && !shown.contains("hush"), "{shown}");
}

#[test]
fn sizes_have_units() {
    let options = read(r#"{"bucket": "b", "transfer": {"multipart_above": "32MiB", "part_size": 6000000}}"#).unwrap();
    assert_eq!((options.transfer.multipart_above, options.transfer.part_size), (32 << 20, 6_000_000));
    assert!(read(r#"{"bucket": "b", "transfer": {"part_size": "6 bananas"}}"#).is_err());
}

#[test]
fn unknown_options_and_sources_are_refused() {
    for text in [
        r#"{"bucket": "b", "colour": "red"}"#,
        r#"{"bucket": "b", "credentials": {"from": "nowhere"}}"#,
        r#"{"bucket": "b", "credentials": {"from": "environment", "path": "p"}}"#,
        r#"{"bucket": "b", "credentials": {"from": "file"}}"#,
        r#"{"region": "r"}"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}
