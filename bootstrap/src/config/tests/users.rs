//! Users: where they are kept, and which shares let them in.

use dittofs_domain::users::{AccessList, Permitted, UserName};

use super::*;

fn store_of(text: &str) -> (String, bool) {
    let UsersConfig { store, is_store_named, .. } =
        load_with(text, &[], &kinds_with_disk()).unwrap_or_else(|error| panic!("{error}")).users;
    (store, is_store_named)
}

/// Two stores in memory and two on disks, and shares in some of them, in this order.
fn in_stores(shares: &[&str], more: &str) -> String {
    let share = |store: &&str| {
        let content = if store.starts_with('d') { "d" } else { "m" };
        format!("{{ name: /{store}, metadata_store: {store}, content_store: {content} }}")
    };
    let shares: Vec<String> = shares.iter().map(share).collect();
    let disk = "{ type: disk, disk: { path: x } }";
    format!(
        "metadata: {{ stores: {{ a: {{ type: memory }}, d1: {disk}, d2: {disk}, m: {{ type: memory }} }} }}\n\
         content: {{ stores: {{ d: {disk}, m: {{ type: memory }} }} }}\n\
         shares: [{}]\n{more}",
        shares.join(", ")
    )
}

#[test]
fn users_are_kept_in_the_first_persistent_store_of_the_shares_unless_one_is_named() {
    assert_eq!(store_of(&in_stores(&["m", "d2", "d1"], "")), ("d2".to_owned(), false));
    assert_eq!(store_of(&in_stores(&["m"], "")), ("d1".to_owned(), false));
    assert_eq!(store_of(&in_stores(&["d2"], "system_store: m")), ("m".to_owned(), true));
    assert_eq!(store_of(&with_share("")), ("m".to_owned(), false));
}

#[test]
fn the_key_is_below_the_data_folder_unless_its_path_is_absolute() {
    let key_file = |text: &str| load_text(text, &[]).unwrap().users.key_file.unwrap().display().to_string();
    assert_eq!(key_file(""), "/data/users.key");
    assert_eq!(key_file("users: { key_file: keys/u }"), "/data/keys/u");
    assert_eq!(key_file("users: { key_file: /run/secrets/users }"), "/run/secrets/users");
}

#[test]
fn without_a_data_folder_there_is_no_place_for_a_key() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(with_share("").as_bytes()).unwrap();
    let config = load(Some(file.path()), [], &StoreKinds::built_in(), &Protocols::built_in()).unwrap();
    assert_eq!((config.data, config.users.key_file), (None, None));
}

#[test]
fn access_is_read_for_users_and_groups_and_everybody_has_it_where_it_is_absent() {
    let access = |fields: &str| load_text(&with_share(fields), &[]).unwrap().shares[0].access.clone();
    assert_eq!(access("squash: none"), AccessList::Everybody);
    let name = |text: &str| UserName::new(text).unwrap();
    let expected = AccessList::Listed {
        users: [(name("alice"), Permitted::Write), (name("Bob B"), Permitted::None)].into_iter().collect(),
        groups: [(0, Permitted::Read), (100, Permitted::Write)].into_iter().collect(),
    };
    assert_eq!(access("access: { users: { Alice: write, bob b: none }, groups: { 0: read, 100: write } }"), expected);
}
