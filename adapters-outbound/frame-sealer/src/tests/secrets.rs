//! Secrets of users.

use std::{fs, os::unix::fs::PermissionsExt};

use dittofs_domain::users::{NtHash, SealedSecret, UserName};
use dittofs_ports::{SecretError, SecretSealer};
use proptest::prelude::*;
use rstest::rstest;
use tempfile::TempDir;

use crate::{KeyFile, SecretKeys, nt_hash};

fn name(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

fn keys() -> (TempDir, KeyFile, SecretKeys) {
    let folder = tempfile::tempdir().unwrap();
    let file = KeyFile::new(folder.path().join("users.key"));
    (folder, file.clone(), SecretKeys::of_file(file))
}

fn hash() -> NtHash {
    NtHash::new([7; 16])
}

/// From MS-NLMP 4.2.2.1.2 and other published vectors.
#[rstest]
#[case("Password", "a4f49c406510bdcab6824ee7c30fd852")]
#[case("", "31d6cfe0d16ae931b73c59d7e0c089c0")]
#[case("password", "8846f7eaee8fb117ad06bdd830b7586c")]
#[case("SecREt01", "cd06ca7c7e10c99b1d33b7485a2ed808")]
fn hashes_of_passwords_are_those_of_windows(#[case] password: &str, #[case] expected: &str) {
    let hex: String = nt_hash(password).bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, expected);
}

#[test]
fn a_secret_opens_for_its_user_in_any_case_and_for_nobody_else() {
    let (_folder, _, keys) = keys();
    keys.make_key().unwrap();
    let sealed = keys.seal(&name("Alice"), [1; 12], &hash()).unwrap();
    assert!(!sealed.bytes().windows(16).any(|window| window == hash().bytes()));
    assert_eq!(keys.open(&name("ALICE"), &sealed), Ok(hash()));
    assert_eq!(keys.open(&name("bob"), &sealed), Err(SecretError::Damaged));
}

#[test]
fn the_first_key_is_made_once_and_for_its_owner_only() {
    let (_folder, file, keys) = keys();
    assert!(matches!(keys.seal(&name("a"), [1; 12], &hash()), Err(SecretError::NoKey { .. })));
    keys.make_key().unwrap();
    let text = fs::read(file.path()).unwrap();
    assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o7777, 0o600);
    keys.make_key().unwrap();
    assert_eq!(fs::read(file.path()).unwrap(), text);
}

#[test]
fn a_missing_key_says_where_it_belongs_and_never_that_a_password_is_wrong() {
    let (_folder, file, keys) = keys();
    keys.make_key().unwrap();
    let sealed = keys.seal(&name("a"), [1; 12], &hash()).unwrap();
    fs::remove_file(file.path()).unwrap();
    let error = keys.open(&name("a"), &sealed).unwrap_err();
    assert!(matches!(error, SecretError::NoKey { .. }), "{error}");
    assert!(error.to_string().contains(file.path().to_str().unwrap()), "{error}");
    // Another key is no help.
    keys.make_key().unwrap();
    let error = keys.open(&name("a"), &sealed).unwrap_err();
    assert!(matches!(error, SecretError::Unknown { .. }), "{error}");
    assert!(error.to_string().contains("put it back into the key file"), "{error}");
}

#[test]
fn what_an_older_key_has_sealed_opens_after_a_new_one_was_added() {
    let (_folder, file, keys) = keys();
    keys.make_key().unwrap();
    let older = keys.seal(&name("a"), [1; 12], &hash()).unwrap();
    file.add().unwrap();
    let newer = keys.seal(&name("a"), [1; 12], &hash()).unwrap();
    assert_ne!(older, newer);
    assert_eq!((keys.open(&name("a"), &older), keys.open(&name("a"), &newer)), (Ok(hash()), Ok(hash())));
}

#[test]
fn a_key_that_others_may_read_is_not_used() {
    let (_folder, file, keys) = keys();
    keys.make_key().unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
    for error in [keys.make_key().unwrap_err(), keys.seal(&name("a"), [1; 12], &hash()).unwrap_err()] {
        assert!(matches!(&error, SecretError::Unusable { fix } if fix.contains("chmod 600")), "{error}");
    }
    // As a secret is mounted: for the group of the server.
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o440)).unwrap();
    assert!(keys.seal(&name("a"), [1; 12], &hash()).is_ok());
}

#[test]
fn without_a_place_for_keys_it_is_said_how_to_name_one() {
    let error = SecretKeys::none().make_key().unwrap_err();
    assert!(error.to_string().contains("users.key_file"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_secret_that_was_altered_does_not_open(at in any::<prop::sample::Index>(), bit in 0_u32..8, cut in 0_usize..53) {
        let (_folder, _, keys) = keys();
        keys.make_key().unwrap();
        let sealed = keys.seal(&name("a"), [1; 12], &hash()).unwrap();
        let mut bytes = sealed.bytes().to_vec();
        prop_assert!(keys.open(&name("a"), &SealedSecret::new(&bytes[..cut]).unwrap()).is_err());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(keys.open(&name("a"), &SealedSecret::new(&bytes).unwrap()).is_err());
    }
}
