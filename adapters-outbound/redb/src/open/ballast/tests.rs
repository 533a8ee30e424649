use std::os::unix::fs::MetadataExt;

use super::*;

#[test]
fn what_is_kept_takes_its_room_and_gives_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let ballast = Ballast::of(folder.path(), 3 << 20);
    assert!(!ballast.is_held());
    ballast.restore();
    assert!(ballast.is_held() && Ballast::of(folder.path(), 3 << 20).is_held());
    let file = fs::metadata(folder.path().join(FILE)).unwrap();
    assert!(file.blocks() * 512 >= 3 << 20, "a file of {} blocks keeps no room", file.blocks());
    ballast.give_up();
    assert!(!ballast.is_held() && !folder.path().join(FILE).exists());
    ballast.restore();
    assert!(ballast.is_held());
}

#[test]
fn another_size_is_taken_anew() {
    let folder = tempfile::tempdir().unwrap();
    Ballast::of(folder.path(), 2 << 20).restore();
    let smaller = Ballast::of(folder.path(), 1 << 20);
    assert!(!smaller.is_held());
    smaller.restore();
    assert_eq!(fs::metadata(folder.path().join(FILE)).unwrap().len(), 1 << 20);
}

#[test]
fn noise_has_its_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("noise");
    write_noise(&mut File::create(&path).unwrap(), (2 << 20) + 5).unwrap();
    assert_eq!(fs::metadata(path).unwrap().len(), (2 << 20) + 5);
}
