#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::*;

#[test]
fn a_folder_keeps_its_seat_and_a_copy_has_another() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = seat(folder.path()).unwrap();
    assert_ne!(seat(copy.path()).unwrap(), first);
    let moved = copy.path().join("moved");
    fs::rename(folder.path(), &moved).unwrap();
    assert_eq!(seat(&moved).unwrap(), first);
}
