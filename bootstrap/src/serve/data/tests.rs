use super::*;

#[test]
fn a_second_server_on_the_same_folder_is_refused_until_the_first_ends() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let first = DataFolder::lock(&folder).unwrap();
    assert!(matches!(DataFolder::lock(&folder), Err(DataError::InUse { .. })));
    drop(first);
    DataFolder::lock(&folder).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = DataFolder::lock(&file.path().join("data")).unwrap_err();
    assert!(error.to_string().contains(&file.path().display().to_string()), "{error}");
}
