use super::*;

const BEFORE: &str = "
metadata: { stores: { m: { type: memory } } }
content: { stores: { c: { type: memory }, b: { type: s3, s3: { bucket: b, credentials: { from: keys, \
access_key_id: a, secret_access_key: first } } } } }
shares: [{ name: /a, metadata_store: m, content_store: c }, { name: /b, metadata_store: m, content_store: c }]
cache: { memory: 64MiB }
adapters: { limits: { strangers: 7 } }
log: { level: info, slow_ms: 5 }
";

#[rstest]
#[case::nothing("", "", &[])]
#[case::the_level("level: info", "level: debug", &[])]
#[case::slow_calls("slow_ms: 5", "slow_ms: 6", &["log.slow_ms"])]
#[case::the_form("slow_ms: 5", "slow_ms: 5, format: json", &["log.format"])]
#[case::the_audit_file("slow_ms: 5", "slow_ms: 5, audit: /audit", &["log.audit"])]
#[case::a_secret("first", "second", &["content"])]
#[case::a_store("m: { type: memory }", "m: { type: memory }, n: { type: memory }", &["metadata"])]
#[case::a_bound("strangers: 7", "strangers: 8", &["adapters.limits"])]
#[case::the_cache("64MiB", "65MiB", &["cache.memory"])]
#[case::the_journal("cache:", "journal: { size: 1GiB }\ncache:", &[])]
#[case::another_journal("cache:", "journal: { size: 2GiB }\ncache:", &["journal"])]
#[case::the_port("limits:", "nfs: { listen: \"127.0.0.1:1\" }, limits:", &["adapters.nfs"])]
#[case::monitoring("limits:", "admin: { listen: \"127.0.0.1:1\" }, limits:", &["adapters.admin"])]
#[case::a_share("/b, metadata_store: m", "/b, read_only: true, metadata_store: m", &["share /b (changed)"])]
#[case::another_name("name: /b", "name: /c", &["share /b (not configured any more)", "share /c (new)"])]
fn what_needs_a_restart_is_found(#[case] old: &str, #[case] new: &str, #[case] expected: &[&str]) {
    let newer = BEFORE.replace(old, new);
    assert!(old.is_empty() || newer != BEFORE);
    let (before, newer) = (load_text(BEFORE, &[]).unwrap(), load_text(&newer, &[]).unwrap());
    assert_eq!(needing_restart(&before, &newer), expected);
}
