use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
};

use rstest::rstest;
use tempfile::TempDir;

use super::*;

fn folder() -> (TempDir, KeyFile, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    (folder, KeyFile::new(path.clone()), path)
}

fn written(text: &str) -> (TempDir, KeyFile, PathBuf) {
    let (folder, file, path) = folder();
    fs::write(&path, text).unwrap();
    set_mode(&path, 0o600);
    (folder, file, path)
}

fn set_mode(path: &PathBuf, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn refusal(file: &KeyFile) -> String {
    file.read().map(|_| ()).unwrap_err().to_string()
}

const DIGITS: &str = "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff";

#[test]
fn remarks_and_empty_lines_are_left_out_and_the_last_key_seals() {
    let text = format!("# keys\n\n 9\t{DIGITS} # of June\r\n{}  # end", line(4, 1));
    let ring = Keyring::parse(text.as_bytes()).unwrap();
    assert_eq!(
        (ring.newest, ring.keys.len(), ring.numbers.keys().copied().collect::<Vec<_>>()),
        (id(1), 2, vec![4, 9])
    );
    assert!(Keyring::parse(format!("4294967295 {DIGITS}").as_bytes()).is_ok());
}

#[rstest]
#[case::empty("", "there is no key in it")]
#[case::remarks_only("# nothing\n\n", "there is no key in it")]
#[case::id_0(&format!("0 {DIGITS}"), "line 1: it does not begin with a key's id")]
#[case::id_too_great(&format!("4294967296 {DIGITS}"), "line 1: it does not begin")]
#[case::signed(&format!("+1 {DIGITS}"), "line 1: it does not begin")]
#[case::key_first(&format!("{DIGITS} 1"), "line 1: it does not begin")]
#[case::short(&format!("# x\n1 {}", &DIGITS[1..]), "line 2: after the id there must be 64")]
#[case::long(&format!("1 {DIGITS}0"), "line 1: after the id")]
#[case::bad_hex(&format!("1 g{}", &DIGITS[1..]), "line 1: after the id")]
#[case::signed_hex(&format!("1 +{}", &DIGITS[1..]), "line 1: after the id")]
#[case::more(&format!("1 {DIGITS} 2"), "line 1: after the id")]
#[case::no_key("7\n", "line 1: after the id")]
#[case::fingerprint_of_another(&format!("8123456789abcdef {DIGITS}"), "line 1: the key is not the one that the id")]
#[case::no_fingerprint(&format!("0123456789abcdef {DIGITS}"), "line 1: it does not begin")]
#[case::twice(&format!("1 {DIGITS}\n2 {DIGITS}\n1 {DIGITS}\n"), "line 3: line 1 has the id already")]
#[case::not_text("1 \u{fffd}", "line 1: after the id")]
fn a_wrong_file_is_refused_by_line_and_never_quoted(#[case] text: &str, #[case] expected: &str) {
    let (_folder, file, path) = written(text);
    let refusal = refusal(&file);
    assert!(refusal.contains(expected) && refusal.contains(path.to_str().unwrap()), "{refusal}");
    assert!(!refusal.contains(&DIGITS[2..10]), "{refusal}");
}

#[test]
fn more_keys_than_there_may_be_are_refused() {
    let text: String = (1..=KEYS_MAX as u32 + 1).map(|id| line(id, 1)).collect();
    assert_eq!(Keyring::parse(text.as_bytes()).map(|_| ()), Err(KeyringError::TooMany));
    let (_folder, file, _) = written(&"#".repeat(2 << 20));
    assert!(refusal(&file).contains("more than"));
}

#[test]
fn a_missing_file_and_what_is_no_file_are_reported() {
    let (folder, file, path) = folder();
    let refused = refusal(&file);
    assert!(refused.contains(&format!("{} is not there: put it back", path.display())), "{refused}");
    assert!(!refused.contains("key add"), "a new key opens nothing of what a lost one sealed: {refused}");
    let no_file = KeyFile::new(folder.path().to_owned());
    assert!(refusal(&no_file).contains("is not a file"));
    assert!(no_file.add().unwrap_err().to_string().contains("is not a file"));
    let nowhere = KeyFile::new(folder.path().join("none/keys"));
    assert!(matches!(nowhere.add(), Err(FileError::Io { .. })));
}

#[rstest]
#[case(0o600, true)]
#[case(0o400, true)]
#[case(0o640, true)]
#[case(0o604, false)]
#[case(0o602, false)]
#[case(0o660, false)]
#[case(0o644, false)]
fn a_file_that_others_can_read_is_refused(#[case] mode: u32, #[case] is_taken: bool) {
    let (_folder, file, path) = written(&line(1, 1));
    set_mode(&path, mode);
    assert_eq!(file.read().is_ok(), is_taken);
    if !is_taken {
        assert!(refusal(&file).contains(&format!("mode {mode:04o}")), "{}", refusal(&file));
        assert!(matches!(file.add(), Err(FileError::Mode { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), line(1, 1), "nothing was added");
    }
}

#[test]
fn keys_are_added_to_a_file_that_nobody_else_can_read() {
    let (_folder, file, path) = folder();
    let first = file.add().unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let second = file.add().unwrap();
    assert!(first.is_fingerprint() && second.is_fingerprint() && first != second);
    // As an editor may leave it.
    fs::write(&path, fs::read_to_string(&path).unwrap() + line(40, 9).trim_end()).unwrap();
    let last = file.add().unwrap();
    let ring = file.read().unwrap();
    let ids: std::collections::BTreeSet<KeyId> = ring.keys.keys().copied().collect();
    assert_eq!((ring.newest, ids), (last, [first, second, id(9), last].into()));
    let text = fs::read_to_string(&path).unwrap();
    let keys: std::collections::BTreeSet<&str> = text.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(keys.len(), 4, "no two keys are alike");
}

#[test]
fn keys_that_are_added_at_once_all_stay() {
    let (_folder, file, _) = folder();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let file = file.clone();
            std::thread::spawn(move || (0..8).map(|_| file.add().unwrap()).collect::<Vec<_>>())
        })
        .collect();
    let mut ids: Vec<KeyId> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids.len(), 64);
    assert_eq!(file.read().unwrap().keys.keys().copied().collect::<Vec<_>>(), ids);
}

#[test]
fn a_wrong_file_stays_as_it_is() {
    let (_folder, file, path) = written("nonsense\n");
    assert!(matches!(file.add(), Err(FileError::Content { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "nonsense\n");
}

#[test]
fn a_file_that_changes_is_followed_and_what_was_known_stays_known() {
    let (_folder, file, path) = written(&line(1, 1));
    let sealer = Sealer::open(file, true).unwrap();
    assert_eq!((sealer.key_id(), sealer.refresh().unwrap()), (id(1), Refreshed::default()));

    fs::write(&path, line(1, 1) + &line(2, 2)).unwrap();
    let added = Refreshed { added: vec![id(2)], removed: vec![], seals_with: Some(id(2)) };
    assert_eq!((sealer.refresh().unwrap(), sealer.key_id()), (added, id(2)));
    let bytes = sealed(&sealer, PLACE, b"hello");

    fs::write(&path, line(1, 1)).unwrap();
    let removed = Refreshed { added: vec![], removed: vec![id(2)], seals_with: Some(id(1)) };
    assert_eq!((sealer.refresh().unwrap(), sealer.key_id()), (removed, id(1)));
    assert_eq!(sealer.refresh().unwrap(), Refreshed::default(), "reported once");
    assert_eq!(opened(&sealer, PLACE, &bytes).unwrap(), b"hello");

    for (text, expected) in [(String::new(), "there is no key"), (line(1, 1) + "3 00", "line 2")] {
        fs::write(&path, text).unwrap();
        let refused = sealer.refresh().unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
        assert_eq!((sealer.key_id(), opened(&sealer, PLACE, &bytes)), (id(1), Ok(b"hello".to_vec())));
    }
    fs::write(&path, line(2, 2)).unwrap();
    let back = Refreshed { added: vec![id(2)], removed: vec![id(1)], seals_with: Some(id(2)) };
    assert_eq!(sealer.refresh().unwrap(), back);
}

/// A file was lost and another one made, in which the number is that of another key; then the first is put back.
#[test]
fn a_key_that_is_put_back_beside_another_of_its_number_opens_at_once() {
    let number = KeyId::of_number(1);
    let old = sealed_as(number, &sealer(&line(1, 1)), PLACE, b"hello");
    let (_folder, file, path) = written(&line(1, 2));
    let sealer = Sealer::open(file, true).unwrap();
    let new = sealed(&sealer, PLACE, b"world");
    assert!(matches!(opened(&sealer, PLACE, &old), Err(SealError::Wrong { .. })));
    for text in [line(1, 1), line(1, 1) + &line(1, 2), line(1, 2) + &line(1, 1)] {
        fs::write(&path, text).unwrap();
        sealer.refresh().unwrap();
        assert_eq!(opened(&sealer, PLACE, &old).unwrap(), b"hello");
        assert_eq!(opened(&sealer, PLACE, &new).unwrap(), b"world");
    }
}

#[test]
fn without_sealing_new_frames_old_ones_still_open() {
    let (_folder, file, _) = written(&line(1, 1));
    let bytes = sealed(&sealer(&line(1, 1)), PLACE, b"hello");
    let reads = Sealer::open(file, false).unwrap();
    assert_eq!((reads.key_id(), reads.demand(id(1))), (KeyId::NONE, Ok(())));
    assert_eq!(opened(&reads, PLACE, &bytes).unwrap(), b"hello");
}
