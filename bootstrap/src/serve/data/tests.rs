use super::*;

#[test]
fn a_second_server_on_the_same_folder_is_refused_until_the_first_ends() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let first = DataFolder::lock(&folder, &[]).unwrap();
    assert!(matches!(DataFolder::lock(&folder, &[]), Err(DataError::InUse { .. })));
    drop(first);
    DataFolder::lock(&folder, &[]).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = DataFolder::lock(&file.path().join("data"), &[]).unwrap_err();
    assert!(error.to_string().contains(&file.path().display().to_string()), "{error}");
}

fn mode_of(folder: &Path) -> u32 {
    fs::metadata(folder).unwrap().permissions().mode() & 0o7777
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[rstest::rstest]
#[case::a_file("photo", "")]
#[case::a_lock_of_somebody_else("lock", "\0")]
#[case::a_lock_with_words("lock", "12 monkeys")]
fn a_folder_with_other_things_in_it_is_refused_and_left_as_it_is(#[case] name: &str, #[case] text: &str) {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path();
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.join(name), text).unwrap();
    let error = DataFolder::lock(folder, &[]).unwrap_err();
    assert!(matches!(&error, DataError::Foreign { found, .. } if found == name), "{error}");
    assert_eq!((mode_of(folder), names_in(folder)), (0o755, vec![name.to_owned()]));
    assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), text);
}

#[test]
fn an_empty_folder_a_fresh_disk_and_what_the_configuration_names_are_taken() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path();
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(folder.join("lost+found")).unwrap();
    fs::create_dir_all(folder.join("store/deep")).unwrap();
    fs::write(folder.join("keys"), "").unwrap();
    let (deep, keys) = (folder.join("store/deep"), folder.join("keys"));
    DataFolder::lock(folder, &[&deep, &keys]).unwrap();
    assert_eq!(mode_of(folder), 0o700);
    // It is known again, whatever is configured then.
    DataFolder::lock(folder, &[]).unwrap();
}

/// Release 0.1 wrote only the number of its process into the lock, as many other programs do.
#[test]
fn a_lock_of_an_earlier_version_is_enough_where_nothing_foreign_lies_beside_it() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    fs::create_dir_all(folder.join("content/deep")).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.join("lock"), "4711\n").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.join("control.sock")).unwrap();
    let content = folder.join("content");
    for (foreign, named) in [("photo", &[content.as_path()][..]), ("control.sock.old", &[content.as_path()]), ("", &[])]
    {
        let path = folder.join(foreign);
        if !foreign.is_empty() {
            fs::write(&path, "precious").unwrap();
        }
        let expected = if foreign.is_empty() { "content" } else { foreign };
        let error = DataFolder::lock(&folder, named).unwrap_err();
        assert!(matches!(&error, DataError::Foreign { found, .. } if found == expected), "{error}");
        assert_eq!((mode_of(&folder), fs::read_to_string(folder.join("lock")).unwrap()), (0o755, "4711\n".to_owned()));
        if !foreign.is_empty() {
            fs::remove_file(&path).unwrap();
        }
    }
    DataFolder::lock(&folder, &[&content]).unwrap();
    assert_eq!(mode_of(&folder), 0o700);
    // From now on it is known by the word.
    fs::write(folder.join("photo"), "").unwrap();
    DataFolder::lock(&folder, &[]).unwrap();
}

#[rstest::rstest]
#[case::asked_for("lock", "dittofs\n")]
#[case::a_lost_lock("metadata/metadata.redb", "")]
fn a_data_folder_is_known_again(#[case] name: &str, #[case] text: &str) {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    fs::write(parent.path().join("other"), "").unwrap();
    DataFolder::lock(parent.path(), &[]).unwrap();
}

#[test]
fn a_lock_that_is_a_link_is_not_followed() {
    let parent = tempfile::tempdir().unwrap();
    let (folder, victim) = (parent.path().join("data"), parent.path().join("victim"));
    fs::create_dir(&folder).unwrap();
    fs::create_dir(folder.join("metadata")).unwrap();
    fs::write(folder.join("metadata/metadata.redb"), "").unwrap();
    for target in [&victim, &parent.path().join("nothing")] {
        fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(target, folder.join("lock")).unwrap();
        let error = DataFolder::lock(&folder, &[]).unwrap_err();
        assert!(matches!(error, DataError::Lock { .. }), "{error}");
        fs::remove_file(folder.join("lock")).unwrap();
    }
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert!(!parent.path().join("nothing").exists());
}
