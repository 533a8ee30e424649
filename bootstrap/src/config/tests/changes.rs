use super::*;

const BEFORE: &str = "
metadata: { stores: { m: { type: memory }, n: { type: memory } } }
content: { stores: { c: { type: memory }, b: { type: s3, s3: { bucket: b, credentials: { from: keys, \
access_key_id: a, secret_access_key: first } } } } }
shares: [{ name: /a, metadata_store: m, content_store: c }, { name: /b, metadata_store: m, content_store: c }]
cache: { memory: 64MiB }
adapters: { limits: { strangers: 7 } }
log: { level: info, slow_ms: 5 }
";

fn between(before: &str, newer: &str) -> Changes {
    Changes::between(&load_text(before, &[]).unwrap(), &load_text(newer, &[]).unwrap())
}

#[rstest]
#[case::nothing("", "", &[])]
#[case::the_level("level: info", "level: debug", &[])]
#[case::slow_calls("slow_ms: 5", "slow_ms: 6", &["log.slow_ms"])]
#[case::the_form("slow_ms: 5", "slow_ms: 5, format: json", &["log.format"])]
#[case::the_audit_file("slow_ms: 5", "slow_ms: 5, audit: /audit", &["log.audit"])]
#[case::a_secret("first", "second", &["content.stores.b"])]
#[case::a_store_that_nobody_uses("n: { type: memory }", "n: { type: memory }, o: { type: memory }", &[])]
#[case::a_bound("strangers: 7", "strangers: 8", &["adapters.limits"])]
#[case::the_cache("64MiB", "65MiB", &["cache.memory"])]
#[case::the_users_store("cache:", "system_store: n\ncache:", &["system_store"])]
#[case::the_users_key("cache:", "users: { key_file: /k }\ncache:", &["users.key_file"])]
#[case::the_journal("cache:", "journal: { size: 1GiB }\ncache:", &[])]
#[case::another_journal("cache:", "journal: { size: 2GiB }\ncache:", &["journal.size"])]
#[case::the_port("limits:", "nfs: { listen: \"127.0.0.1:1\" }, limits:", &[])]
#[case::monitoring("limits:", "admin: { listen: \"127.0.0.1:1\" }, limits:", &["adapters.admin"])]
#[case::how_it_is_stored("/b, metadata_store: m", "/b, compression: zstd, outage_seconds: 1, metadata_store: m", &["share /b (compression, outage_seconds)"])]
fn what_needs_a_restart_is_found(#[case] old: &str, #[case] new: &str, #[case] expected: &[&str]) {
    let newer = BEFORE.replace(old, new);
    assert!(old.is_empty() || newer != BEFORE);
    let changes = between(BEFORE, &newer);
    assert_eq!(changes.restart, expected);
    let is_level = new.contains("level");
    assert_eq!(changes, Changes { restart: changes.restart.clone(), level: is_level, ..Changes::default() });
}

#[test]
fn shares_come_and_go() {
    let newer = BEFORE.replace("name: /b", "name: /c");
    assert_eq!(Changes::gone(&load_text(BEFORE, &[]).unwrap(), &load_text(&newer, &[]).unwrap()), ["/b"]);
    let changes = between(BEFORE, &newer);
    assert!(changes.restart.is_empty());
    let new: Vec<&str> = changes.new.iter().map(|share| share.name.as_str()).collect();
    assert_eq!(new, ["/c"]);
}

#[test]
fn who_may_use_a_share_and_how_changes_while_it_is_served_and_how_it_is_stored_does_not() {
    let fields = "read_only: true, squash: all, quota: 1GiB, clients: [10.0.0.0/8], secure_ports: false, anonymous_uid: 7, \
                  anonymous_gid: 8, atime: none, access: {users: {alice: read}}, smb_encryption: required, \
                  compression: zstd, ";
    let newer = BEFORE.replace("/b, ", &format!("/b, {fields}"));
    let changes = between(BEFORE, &newer);
    assert_eq!(changes.restart, ["share /b (compression)"]);
    let [(share, taken)] = changes.changed.as_slice() else { panic!("{changes:?}") };
    let all = [
        "smb_encryption",
        "clients",
        "secure_ports",
        "squash",
        "anonymous_uid",
        "anonymous_gid",
        "atime",
        "access",
        "read_only",
        "quota",
    ];
    assert_eq!(taken.as_slice(), all);
    let newer = load_text(&newer, &[]).unwrap().shares.remove(1);
    assert_eq!(*share, ShareConfig { compression: share.compression, ..newer.clone() });
    assert_ne!(share.compression, newer.compression);
    // Once that is in force, it is no news; what needs a restart is reported as long as it does.
    let mut running = load_text(BEFORE, &[]).unwrap();
    running.shares[1] = share.clone();
    let again =
        Changes::between(&running, &Config { shares: vec![running.shares[0].clone(), newer], ..running.clone() });
    assert_eq!((again.restart.len(), again.changed.len()), (1, 0));
}

#[test]
fn a_share_does_not_come_on_a_store_that_has_changed() {
    let newer = BEFORE.replace("first", "second");
    let newer = newer.replace("[{ name: /a", "[{ name: /c, metadata_store: m, content_store: b }, { name: /a");
    let kinds = kinds_with_disk();
    let load = |text: &str| {
        let text = text.replace("m: { type: memory }", "m: { type: disk, disk: { path: x } }");
        let text = text.replace("c: { type: memory }", "c: { type: disk, disk: { path: x } }");
        load_with(&text, &[], &kinds).unwrap()
    };
    let changes = Changes::between(&load(BEFORE), &load(&newer));
    assert!(changes.new.is_empty());
    let expected = ["content.stores.b", "share /c (new; its content store `b` has changed)"];
    assert_eq!(changes.restart, expected);
}
