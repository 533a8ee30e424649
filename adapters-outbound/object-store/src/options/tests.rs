use super::*;

fn read(json: &str) -> Result<ObjectStoreOptions, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[test]
fn options_are_read_and_unknown_ones_refused() {
    assert_eq!(read(r#"{"fs": {"path": "data"}}"#), Ok(ObjectStoreOptions::Fs(FsOptions::new("data"))));
    let few = FsOptions { open_files: 3, ..FsOptions::new("data") };
    assert_eq!(read(r#"{"fs": {"path": "data", "open_files": 3}}"#), Ok(ObjectStoreOptions::Fs(few)));
    for (bad, wanted) in
        [(r#"{"fs": {}}"#, "path"), (r#"{"fs": {"path": "data", "sync": false}}"#, "sync"), (r#"{"tape": {}}"#, "tape")]
    {
        let refusal = read(bad).unwrap_err();
        assert!(refusal.contains(wanted), "{refusal}");
    }
}
