//! Shares, their names and fields.

use super::*;

#[rstest]
#[case::durability("durability: local", "durability", "can't give `local`", "`none`")]
#[case::remote("durability: remote", "durability", "metadata in `memory` outlives nothing", "`none`")]
#[case::inline("inline_max: 4KiB", "inline_max", "durability: remote", "leave")]
#[case::durability_word("durability: strong", "durability", "`strong`", "local")]
#[case::compression("compression: rar", "compression", "`rar`", "none, zstd")]
#[case::encryption("encryption: zeros", "encryption", "not a mapping", "below it")]
#[case::no_key_file("encryption: { seal: true }", "encryption.key_file", "missing", "dittofs key add")]
#[case::empty_key_file("encryption: { key_file: \"\" }", "encryption.key_file", "not a text", "text")]
#[case::seal("encryption: { key_file: /k, seal: often }", "encryption.seal", "`often`", "true or false")]
#[case::encryption_key("encryption: { key_file: /k, key: 7 }", "encryption.key", "not known", "key_file, seal")]
#[case::squash("squash: some", "squash", "`some`", "none, root, all")]
#[case::atime("atime: strict", "atime", "`strict`", "relatime, none")]
#[case::secure_ports("secure_ports: perhaps", "secure_ports", "`perhaps`", "true or false")]
#[case::nobody("access: {}", "access", "lets no user in", "leave it out")]
#[case::only_refusals("access: { users: { alice: none } }", "access", "lets no user in", "leave it out")]
#[case::access_not_a_mapping("access: alice", "access", "not a mapping", "below it")]
#[case::access_word("access: { users: { alice: all } }", "access.users.alice", "`all`", "none, read, write")]
#[case::access_name("access: { users: { \"a/b\": read } }", "access.users.a/b", "has `/` in it", "user list")]
#[case::access_twice("access: { users: { alice: read, ALICE: write } }", "access.users.alice", "named twice", "once")]
#[case::access_group("access: { groups: { staff: read } }", "access.groups.staff", "not the id of a group", "number")]
#[case::access_no_id("access: { groups: { 4294967295: read } }", "access.groups.4294967295", "not the id", "number")]
#[case::access_key("access: { alice: read }", "access.alice", "not known", "groups, users")]
#[case::read_only("read_only: perhaps", "read_only", "`perhaps`", "true or false")]
#[case::anonymous_root("anonymous_uid: 0", "anonymous_uid", "`0`", "range")]
#[case::anonymous_no_id("anonymous_gid: 4294967295", "anonymous_gid", "4294967295", "range")]
#[case::id_in_memory("id: 7", "id", "new id at each start", "leave")]
#[case::quota("quota: 0", "quota", "no room", "no limit")]
#[case::quota_bytes("quota: { bytes: 0 }", "quota.bytes", "no room", "no limit")]
#[case::quota_files("quota: { files: many }", "quota.files", "`many`", "range")]
#[case::quota_no_files("quota: { files: 0 }", "quota.files", "`0`", "range")]
#[case::quota_key("quota: { bytes: 1GiB, nodes: 7 }", "quota.nodes", "not known", "bytes, files")]
#[case::no_clients("clients: []", "clients", "nobody", "127.0.0.0/8")]
#[case::clients_not_a_list("clients: 127.0.0.1", "clients", "not a list", "list")]
#[case::bad_network("clients: [localhost]", "clients[0]", "`localhost`", "networks")]
#[case::bad_prefix("clients: [\"::1\", 10.0.0.0/33]", "clients[1]", "10.0.0.0/33", "networks")]
#[case::host_bits("clients: [10.1.2.3/8]", "clients[0]", "behind its prefix", "10.0.0.0/8")]
#[case::smb_name_character("smb_name: a/b", "smb_name", "that Windows refuses", "such as export")]
#[case::smb_name_long(&format!("smb_name: {}", "x".repeat(81)), "smb_name", "more than 80", "such as export")]
#[case::smb_name_reserved("smb_name: ipc$", "smb_name", "something else", "such as export")]
#[case::smb_name_empty("smb_name: \"\"", "smb_name", "not a text", "text")]
#[case::smb_encryption("smb_encryption: always", "smb_encryption", "`always`", "offered, required")]
#[case::unknown("colour: red", "colour", "not known", "read_only")]
fn a_field_of_a_share_is_refused(#[case] fields: &str, #[case] key: &str, #[case] found: &str, #[case] fix: &str) {
    let result = load_text(&with_share(fields), &[]);
    assert_refused(result, &format!("shares[0].{key}"), found, fix);
}

#[rstest]
#[case::relative("export")]
#[case::trailing_slash("/export/")]
#[case::empty_part("/a//b")]
#[case::dot("/a/./b")]
#[case::dot_dot("/a/../b")]
#[case::control("\"/a\\n\"")]
#[case::long_part(&format!("/{}", "x".repeat(256)))]
#[case::long_path(&"/x".repeat(513))]
fn a_share_name_is_refused(#[case] name: &str) {
    let shares = format!("[{{ name: {name}, metadata_store: m, content_store: c }}]");
    let result = load_text(&with_shares(&shares), &[]);
    assert_refused(result, "shares[0].name", "", "absolute path");
}

#[rstest]
#[case::twice("/a", "/a", "name of another share too")]
#[case::below("/a", "/a/b", "within each other")]
#[case::above("/a/b", "/a", "within each other")]
#[case::below_the_root("/", "/a", "within each other")]
fn overlapping_shares_are_refused(#[case] one: &str, #[case] other: &str, #[case] found: &str) {
    let share = |name| format!("{{ name: {name}, metadata_store: m, content_store: c }}");
    let text = with_shares(&format!("[{}, {}]", share(one), share(other)));
    assert_refused(load_text(&text, &[]), "shares[1].name", found, "");
}

#[test]
fn shares_whose_names_only_begin_alike_stand_beside_each_other() {
    let share = |name| format!("{{ name: {name}, metadata_store: m, content_store: c }}");
    let text = with_shares(&format!("[{}, {}]", share("/a"), share("/ab")));
    assert_eq!(load_text(&text, &[]).unwrap().shares.len(), 2);
}

/// Two shares in memory, and perhaps SMB.
fn two_shares(one: &str, other: &str, adapters: &str) -> Result<Config, ConfigError> {
    let share = |fields: &str| format!("{{ metadata_store: m, content_store: c, {fields} }}");
    load_text(&(with_shares(&format!("[{}, {}]", share(one), share(other))) + adapters), &[])
}

const WITH_SMB: &str = "adapters: { smb: { listen: 127.0.0.1:0 } }\n";

#[rstest]
#[case::one_last_part("name: /a/export", "name: /b/Export", "`Export` is the name of `/a/export`")]
#[case::given("name: /a, smb_name: Größe", "name: /b, smb_name: GRÖSSE2", "")]
#[case::given_twice("name: /a, smb_name: Größe", "name: /b, smb_name: GRÖßE", "upper and lower case are the same")]
#[case::given_and_default("name: /a", "name: /b, smb_name: A", "upper and lower case are the same")]
#[case::long("name: /a", &format!("name: /{}", "x".repeat(81)), "has more than 80 characters")]
#[case::character("name: /a", "name: \"/x:y\"", "that Windows refuses")]
fn names_for_smb_are_told_apart_where_it_is_served(#[case] one: &str, #[case] other: &str, #[case] found: &str) {
    assert!(two_shares(one, other, "").is_ok());
    let with_smb = two_shares(one, other, WITH_SMB);
    match found {
        "" => assert!(with_smb.is_ok()),
        found => assert_refused(with_smb, "shares[1].smb_name", found, "no other has"),
    }
}

#[rstest]
#[case::off("encryption: off", false)]
#[case::old_dialects("dialect_max: 2.1", false)]
#[case::offered("encryption: offered", true)]
#[case::required("encryption: required", true)]
fn a_share_demands_encryption_only_where_the_server_has_it(#[case] smb: &str, #[case] is_right: bool) {
    let adapters = format!("adapters: {{ smb: {{ listen: 127.0.0.1:0, {smb} }} }}\n");
    let read = two_shares("name: /a", "name: /b, smb_encryption: required", &adapters);
    if is_right {
        let demands: Vec<bool> = read.unwrap().shares.iter().map(|share| share.smb_encryption_required).collect();
        assert_eq!(demands, [false, true]);
    } else {
        assert_refused(read, "shares[1].smb_encryption", "does not offer", "dialect_max");
        assert!(two_shares("name: /a", "name: /b", &adapters).is_ok());
    }
}

#[test]
fn the_root_as_a_share_needs_a_name_for_smb() {
    let text = |fields: &str| with_shares(&format!("[{{ name: /, metadata_store: m, content_store: c {fields} }}]"));
    assert!(load_text(&text(""), &[]).is_ok());
    assert_refused(load_text(&(text("") + WITH_SMB), &[]), "shares[0].smb_name", "is empty", "no other has");
    let named = load_text(&(text(", smb_name: All") + WITH_SMB), &[]).unwrap();
    assert_eq!(named.shares[0].smb_name, "All");
}

#[rstest]
#[case::no_shares("[]", "shares", "0 shares", "name 1")]
#[case::unknown_store(
    "[{ name: /e, metadata_store: x, content_store: c }]",
    "shares[0].metadata_store",
    "no metadata store `x`",
    "known below metadata.stores: m"
)]
#[case::missing_store("[{ name: /e, metadata_store: m }]", "shares[0].content_store", "missing", "content.stores: c")]
#[case::missing_name("[{ metadata_store: m, content_store: c }]", "shares[0].name", "missing", "/export")]
#[case::not_a_mapping(
    "[{ name: /e, metadata_store: m, content_store: c }, /f]",
    "shares[1]",
    "`/f` is not a mapping",
    "below it"
)]
fn shares_are_refused(#[case] shares: &str, #[case] key: &str, #[case] found: &str, #[case] fix: &str) {
    let problems = problems(load_text(&with_shares(shares), &[]));
    let first = &problems[0];
    assert_eq!(first.key, key, "{problems:#?}");
    assert!(first.found.contains(found), "{problems:#?}");
    assert!(first.fix.contains(fix), "{problems:#?}");
}

#[test]
fn stores_without_shares_are_refused() {
    let text = "metadata: { stores: { m: { type: memory } } }";
    assert_refused(load_text(text, &[]), "shares", "0 shares", "name 1");
}

#[test]
fn a_key_file_is_below_the_data_folder_unless_its_path_is_absolute() {
    let encryption = |fields: &str| {
        let config = load_text(&with_share(&format!("encryption: {{ {fields} }}")), &[]).unwrap();
        let EncryptionConfig { key_file, seal } = config.shares[0].encryption.clone().unwrap();
        (key_file.display().to_string(), seal)
    };
    assert_eq!(encryption("key_file: keys"), ("/data/keys".to_owned(), true));
    assert_eq!(encryption("key_file: /etc/x/../keys, seal: false"), ("/etc/keys".to_owned(), false));
    assert_eq!(load_text(&with_share("squash: none"), &[]).unwrap().shares[0].encryption, None);
}

#[test]
fn keys_beside_what_they_seal_are_refused() {
    let text = "metadata: { stores: { m: { type: redb, redb: { path: m } } } }\n\
                content: { stores: { c: { type: fs, fs: { path: c } } } }\n\
                shares: [{ name: /e, metadata_store: m, content_store: c, encryption: { key_file: c/keys } }]\n";
    let key = "shares[0].encryption.key_file";
    assert_refused(load_text(text, &[]), key, "is in the folder /data/c of content.stores.c", "outside of it");
}

#[test]
fn source_ports_are_secure_unless_a_share_says_otherwise() {
    let secure = |text: &str| load_text(&with_share(text), &[]).unwrap().shares[0].secure_ports;
    assert!(defaults().shares[0].secure_ports);
    assert_eq!(["squash: all", "secure_ports: true", "secure_ports: false"].map(secure), [true, true, false]);
}
