//! Single fields, and sizes.

use super::*;

#[rstest]
#[case::unknown_at_the_top("sheres: []", "sheres", "not known", "shares")]
#[case::unknown_below("log: { colour: red }", "log.colour", "not known", "level")]
#[case::not_a_mapping("log: loud", "log", "`loud` is not a mapping", "below it")]
#[case::level("log: { level: loud }", "log.level", "`loud`", "error, warn, info")]
#[case::format("log: { format: xml }", "log.format", "`xml`", "text, json")]
#[case::listen("adapters: { nfs: { listen: here } }", "adapters.nfs.listen", "`here`", "127.0.0.1:12049")]
#[case::listen_without_port(
    "adapters: { nfs: { listen: 127.0.0.1 } }",
    "adapters.nfs.listen",
    "127.0.0.1",
    "ADDRESS:PORT"
)]
#[case::admin("adapters: { admin: { listen: 9049 } }", "adapters.admin.listen", "`9049`", "write off")]
#[case::portmap("adapters: { nfs: { portmap: on } }", "adapters.nfs.portmap", "`on`", "write off")]
#[case::portmap_on_nfs(
    "adapters: { nfs: { listen: 127.0.0.1:9, portmap: 127.0.0.1:9 } }",
    "adapters.nfs.portmap",
    "listens already",
    "write off"
)]
#[case::no_connections("adapters: { limits: { connections: 0 } }", "adapters.limits.connections", "`0`", "range")]
#[case::connections_of_nfs(
    "adapters: { nfs: { limits: { connections: 100 } } }",
    "adapters.nfs.limits.connections",
    "all protocols",
    "adapters.limits.connections"
)]
#[case::little_memory(
    "adapters: { limits: { memory: 1MiB } }",
    "adapters.limits.memory",
    "1MiB is too small",
    "at least 16MiB"
)]
#[case::negative("adapters: { nfs: { limits: { in_flight: -1 } } }", "adapters.nfs.limits.in_flight", "`-1`", "range")]
#[case::small_window(
    "adapters: { nfs: { limits: { in_flight_bytes: 1MiB } } }",
    "adapters.nfs.limits.in_flight_bytes",
    "1MiB is too small",
    "4MiB"
)]
#[case::unknown_limit(
    "adapters: { nfs: { limits: { speed: 1 } } }",
    "adapters.nfs.limits.speed",
    "not known",
    "in_flight"
)]
#[case::smb_signing("adapters: { smb: { signing: maybe } }", "adapters.smb.signing", "maybe", "required")]
#[case::smb_dialects(
    "adapters: { smb: { dialect_min: 3.1.1, dialect_max: 3.0.2 } }",
    "adapters.smb.dialect_min",
    "newer than dialect_max",
    "leave one"
)]
#[case::smb_seals_without_a_cipher(
    "adapters: { smb: { encryption: required, dialect_max: 2.1 } }",
    "adapters.smb.encryption",
    "no dialect before 3.0",
    "3.1.1"
)]
#[case::smb_name("adapters: { smb: { server_name: a_b } }", "adapters.smb.server_name", "no name", "dashes")]
#[case::system_store("system_store: m", "system_store", "no metadata store `m`", "known below metadata.stores: local")]
#[case::key_of_users_in_a_store(
    "users: { key_file: content/k }",
    "users.key_file",
    "is in the folder",
    "outside of it"
)]
#[case::users("users: { alice: 7 }", "users.alice", "not known", "key_file")]
#[case::journal_path_is_data("journal: { path: /data }", "journal.path", "is, or is around", "of its own")]
#[case::journal_path_empty("journal: { path: \"\" }", "journal.path", "not a text", "text")]
#[case::journal_in_a_store("journal: { path: content/j }", "journal.path", "lie within each other", "of its own")]
#[case::journal_too_small("journal: { size: 1MiB }", "journal.size", "1MiB is too small", "16MiB")]
#[case::size_unit("journal: { size: 4GB }", "journal.size", "the units are B, KiB, MiB, GiB and TiB", "4GiB")]
#[case::level_of_nothing("log: { level: \"info,=debug\" }", "log.level", "not the name of a library", "hyper=debug")]
#[case::two_levels("log: { level: \"info,debug\" }", "log.level", "only the first", "hyper=debug")]
#[case::slow("log: { slow_ms: soon }", "log.slow_ms", "`soon`", "range")]
#[case::audit_in_a_store("log: { audit: content/a }", "log.audit", "is in the folder", "outside")]
#[case::size_word("cache: { memory: much }", "cache.memory", "not a size", "512MiB")]
#[case::size_overflow("cache: { memory: 99999999TiB }", "cache.memory", "64 bits", "512MiB")]
#[case::size_list("cache: { memory: [1] }", "cache.memory", "a list", "512MiB")]
#[case::cache_disk("cache: { disk: 10GiB }", "cache.disk", "not a mapping", "below it")]
#[case::cache_disk_too_small("cache: { disk: { size: 1MiB } }", "cache.disk.size", "1MiB is too small", "16MiB")]
#[case::cache_disk_in_a_store(
    "cache: { disk: { path: content/c } }",
    "cache.disk.path",
    "lie within each",
    "of its own"
)]
#[case::cache_disk_is_data("cache: { disk: { path: /data } }", "cache.disk.path", "is, or is around", "of its own")]
#[case::readahead("cache: { readahead: 1KiB }", "cache.readahead", "1KiB is too small", "1MiB")]
#[case::data("data: [x]", "data", "a list is not a text", "text")]
fn a_field_is_refused(#[case] text: &str, #[case] key: &str, #[case] found: &str, #[case] fix: &str) {
    assert_refused(load_text(text, &[]), key, found, fix);
}

#[rstest]
#[case("0", 0)]
#[case("4096", 4096)]
#[case("1B", 1)]
#[case("3KiB", 3 << 10)]
#[case(" 512 MiB ", 512 << 20)]
#[case("4GiB", 4 << 30)]
#[case("2TiB", 2 << 40)]
fn sizes_are_read(#[case] text: &str, #[case] bytes: u64) {
    assert_eq!(text.parse(), Ok(ByteSize(bytes)));
    let read: ByteSize = figment::value::Value::from(text).deserialize().unwrap();
    assert_eq!(read, ByteSize(bytes));
    let again: ByteSize = ByteSize(bytes).to_string().parse().unwrap();
    assert_eq!(again, ByteSize(bytes));
}
