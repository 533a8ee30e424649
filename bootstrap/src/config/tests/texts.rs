//! Texts that are no configuration.

use super::*;

#[test]
fn every_problem_is_reported_at_once() {
    let text = with_share("squash: some, quota: x") + "log: { level: loud }\nfoo: 1\n";
    let keys: Vec<String> = problems(load_text(&text, &[])).into_iter().map(|p| p.key).collect();
    assert_eq!(keys, ["shares[0].squash", "shares[0].quota", "log.level", "foo"]);
}

#[rstest]
#[case::twice("log: {}\nlog: {}\n", "line 2: the key `log` is given twice", "leave one")]
#[case::twice_below("log:\n  level: info\n  level: warn\n", "line 3: the key `level` is given twice", "leave one")]
#[case::twice_in_an_item(
    "shares:\n  - name: /a\n    'name': /b\n",
    "line 3: the key `name` is given twice",
    "leave one"
)]
#[case::twice_in_a_line("log: { level: info, level: warn }\n", "key `level` is given twice", "")]
#[case::not_yaml("log:\n  level: info: loud\n", "line 2 column 14", "valid YAML")]
#[case::ends_early("log: [", "line 2 column 1", "valid YAML")]
#[case::not_a_mapping("- log", "not a mapping", "")]
#[case::tab("log:\n  level: info\n\tformat: text\n", "line 3: there is a tab", "by spaces")]
fn a_text_that_cannot_be_read_is_refused(#[case] text: &str, #[case] found: &str, #[case] fix: &str) {
    let problems = problems(load_text(text, &[]));
    assert_eq!(problems.len(), 1);
    assert!(problems[0].found.contains(found) && problems[0].fix.contains(fix), "{problems:#?}");
}

#[test]
fn a_file_that_is_no_text_is_refused_with_the_place() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"log:\n  level: \xff\n").unwrap();
    let problems = problems(load(Some(file.path()), [], &StoreKinds::built_in(), &Protocols::built_in()));
    assert_eq!(problems[0].found, "is not UTF-8 at byte 14, in line 2");
}

#[test]
fn a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let problems = problems(load(Some(folder.path()), [], &StoreKinds::built_in(), &Protocols::built_in()));
    assert_eq!((problems[0].found.as_str(), problems[0].fix.as_str()), ("is a folder", "name a file in it"));
}

#[test]
fn a_store_that_is_refused_is_not_refused_again_where_a_share_names_it() {
    let text = "metadata: { stores: { m: { type: disk } } }\n\
                content: { stores: { c: { type: memory } } }\n\
                shares: [{ name: /e, metadata_store: m, content_store: c }]\n\
                journal: { path: /j }\n";
    assert_refused(load_text(text, &[]), "metadata.stores.m.type", "`disk`", "redb");
}

#[test]
fn all_faults_of_a_stores_options_are_reported() {
    let text = "metadata: { stores: { m: { type: memory } } }\n\
                content: { stores: { c: { type: s3, s3: { bucket: b, colour: red, endpoint: s3.example.org, \
                credentials: { from: keys, acess_key: x }, transfer: { requests: many } } } } }\n\
                shares: [{ name: /e, metadata_store: m, content_store: c }]\n";
    let problems = problems(load_text(text, &[]));
    let keys: Vec<&str> =
        problems.iter().map(|problem| problem.key.strip_prefix("content.stores.c.s3.").unwrap()).collect();
    assert_eq!(keys, ["colour", "credentials.acess_key", "credentials.access_key_id", "endpoint", "transfer.requests"]);
    assert!(problems[1].fix.contains("access_key_id, secret_access_key"), "{problems:#?}");
    assert!(problems[3].fix.contains("https://"), "{problems:#?}");
}

#[test]
fn a_data_folder_whose_socket_has_no_room_is_refused() {
    let data = format!("/{}", "d".repeat(100));
    let loaded = load_on(Some(Path::new(&data)), None, [], &StoreKinds::built_in(), &Protocols::built_in());
    assert_refused(loaded, "data", "is too long", "shorter");
}

#[test]
fn a_missing_file_is_refused() {
    let none = std::iter::empty();
    let path = std::path::Path::new("/nowhere/dittofs.yaml");
    let problems = problems(load(Some(path), none, &StoreKinds::built_in(), &Protocols::built_in()));
    assert_eq!(problems[0].key, "/nowhere/dittofs.yaml");
}

#[test]
fn a_nest_of_aliases_is_refused_before_it_grows() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        text += &format!("a{level}: &a{level} [{below}]\n");
    }
    assert_eq!(problems(load_text(&text, &[])).len(), 1);
}
