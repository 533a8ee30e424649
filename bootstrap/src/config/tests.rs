use std::io::Write;

use dittofs_domain::credentials::Squash;
use dittofs_ports::Survives;
use rstest::rstest;
use serde::Deserialize;

use super::*;

const DATA: &str = "/data";

fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    load_with(text, environment, &StoreKinds::built_in())
}

fn load_with(text: &str, environment: &[(&str, &str)], kinds: &StoreKinds) -> Result<Config, ConfigError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    load_on(Some(Path::new(DATA)), Some(file.path()), owned(environment), kinds)
}

/// As without any file.
fn defaults() -> Config {
    load_on(Some(Path::new(DATA)), None, [], &StoreKinds::built_in()).unwrap()
}

fn owned(environment: &[(&str, &str)]) -> Vec<(String, String)> {
    environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A program's own kinds: a persistent pair beside the memory stores.
fn kinds_with_disk() -> StoreKinds {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct DiskOptions {
        #[expect(dead_code, reason = "only its presence and type count here")]
        path: String,
        #[expect(dead_code, reason = "only its type counts here")]
        depth: Option<u32>,
    }
    StoreKinds::built_in()
        .with_metadata("disk", StoreKind::new(Survives::MachineLoss, async |_: DiskOptions| Err("not here".into())))
        .with_content("disk", StoreKind::new(Survives::MachineLoss, async |_: DiskOptions| Err("not here".into())))
}

/// Two memory stores and whatever the test says about shares.
fn with_shares(shares: &str) -> String {
    format!(
        "metadata: {{ stores: {{ m: {{ type: memory }} }} }}\n\
         content: {{ stores: {{ c: {{ type: memory }} }} }}\n\
         shares: {shares}\n"
    )
}

/// One share that is sound but for the fields of the test.
fn with_share(fields: &str) -> String {
    with_shares(&format!("[{{ name: /e, metadata_store: m, content_store: c, {fields} }}]"))
}

fn problems(result: Result<Config, ConfigError>) -> Vec<Problem> {
    result.expect_err("the configuration should be refused").0
}

fn assert_refused(result: Result<Config, ConfigError>, key: &str, found: &str, mend: &str) {
    let problems = problems(result);
    let hit = |problem: &&Problem| problem.key == key && problem.found.contains(found) && problem.mend.contains(mend);
    assert!(problems.iter().any(|p| hit(&p)), "{problems:#?}");
    assert_eq!(problems.len(), 1, "{problems:#?}");
}

#[test]
fn sample_means_the_same_as_no_file() {
    let sample = load_text(SAMPLE, &[]).unwrap();
    assert_eq!(format!("{sample:#?}"), format!("{:#?}", defaults()));
}

#[test]
fn sample_uncommented_is_understood_too() {
    let mut text = SAMPLE.replace("\n#data", "\ndata");
    for option in ["quota", "id", "cache", "scratch"] {
        let commented = format!(" #{option}: ");
        assert!(text.contains(&commented), "{option}");
        text = text.replace(&commented, &format!(" {option}: "));
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let config = load(Some(file.path()), [], &StoreKinds::built_in()).unwrap();
    assert_eq!(config.shares[0].quota, Some(ByteSize(100 << 30)));
    assert_eq!(config.shares[0].id, Some(1_234_567_890));
    assert!(config.metadata.contains_key("scratch") && config.content.contains_key("scratch"));
    assert_eq!(config.journal.path.as_deref(), Some(Path::new("/var/lib/dittofs/journal")));
}

#[test]
fn defaults_serve_one_persistent_share_on_loopback() {
    let config = defaults();
    assert_eq!(config.adapters.nfs.listen.to_string(), "127.0.0.1:12049");
    assert_eq!(config.adapters.nfs.portmap, None);
    let [share] = config.shares.as_slice() else { panic!("{:?}", config.shares) };
    assert_eq!(share.name, "/export");
    assert_eq!(share.squash, Squash::None);
    assert_eq!(share.durability, Durability::Local);
    assert!(share.clients.iter().all(|net| net.network().is_loopback()));
    assert!(config.notices().is_empty());
    let folders = [&config.metadata["local"].folder, &config.content["local"].folder, &config.journal.path];
    let folders = folders.map(|folder| folder.as_deref().unwrap().to_str().unwrap());
    assert_eq!(folders, ["/data/metadata", "/data/content", "/data/journal"]);
}

#[test]
fn the_data_folder_of_the_command_line_wins_over_the_file_and_that_over_the_usual_one() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"data: /of/file").unwrap();
    let load = |data: Option<&str>, file: Option<&Path>| {
        let home = owned(&[("HOME", "/home/me")]);
        load_on(data.map(Path::new), file, home, &StoreKinds::built_in()).unwrap()
    };
    let config = load(Some("/of/line"), Some(file.path()));
    assert_eq!(config.data.as_deref(), Some(Path::new("/of/line")));
    assert_eq!(config.journal.path.as_deref(), Some(Path::new("/of/line/journal")));
    assert_eq!(load(None, Some(file.path())).data.as_deref(), Some(Path::new("/of/file")));
    let usual = load(None, None).data.unwrap();
    assert!([Path::new("/var/lib/dittofs"), Path::new("/home/me/.local/share/dittofs")].contains(&usual.as_path()));
}

#[test]
fn a_configuration_in_memory_needs_no_data_folder_and_says_what_is_lost() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(with_share("").as_bytes()).unwrap();
    let config = load(Some(file.path()), [], &StoreKinds::built_in()).unwrap();
    assert_eq!((config.data.clone(), config.journal.path.clone()), (None, None));
    assert_eq!(config.notices(), ["/e is in memory: its files are gone when the server stops"]);
}

#[test]
fn a_file_that_names_no_stores_and_no_shares_keeps_the_default_share() {
    let config = load_text("log: { level: debug }", &[]).unwrap();
    assert_eq!(config.shares[0].name, "/export");
    assert_eq!(config.log.level, LogLevel::Debug);
}

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
#[case::portmap("adapters: { nfs: { portmap: on } }", "adapters.nfs.portmap", "`on`", "write off")]
#[case::portmap_on_nfs(
    "adapters: { nfs: { listen: 127.0.0.1:9, portmap: 127.0.0.1:9 } }",
    "adapters.nfs.portmap",
    "listens already",
    "write off"
)]
#[case::no_connections(
    "adapters: { nfs: { limits: { connections: 0 } } }",
    "adapters.nfs.limits.connections",
    "`0`",
    "range"
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
#[case::smb("adapters: { smb: { listen: 127.0.0.1:12445 } }", "adapters.smb", "not built yet", "leave")]
#[case::system_store("system_store: m", "system_store", "not built yet", "leave")]
#[case::journal_path_is_data("journal: { path: /data }", "journal.path", "is, or is around", "of its own")]
#[case::journal_path_empty("journal: { path: \"\" }", "journal.path", "not a text", "text")]
#[case::journal_in_a_store("journal: { path: content/j }", "journal.path", "lie within each other", "of its own")]
#[case::journal_too_small("journal: { size: 1MiB }", "journal.size", "1MiB is too small", "16MiB")]
#[case::size_unit("journal: { size: 4GB }", "journal.size", "unit", "4GiB")]
#[case::size_word("cache: { memory: much }", "cache.memory", "not a size", "512MiB")]
#[case::size_overflow("cache: { memory: 99999999TiB }", "cache.memory", "64 bits", "512MiB")]
#[case::size_list("cache: { memory: [1] }", "cache.memory", "a list", "512MiB")]
#[case::cache_disk("cache: { disk: 10GiB }", "cache.disk", "not built yet", "leave")]
#[case::data("data: [x]", "data", "a list is not a text", "text")]
fn a_field_is_refused(#[case] text: &str, #[case] key: &str, #[case] found: &str, #[case] mend: &str) {
    assert_refused(load_text(text, &[]), key, found, mend);
}

#[rstest]
#[case::unknown_type("{ type: disk }", "metadata.stores.m.type", "`disk` is not known here", "known: memory, redb")]
#[case::no_type("{ }", "metadata.stores.m.type", "missing", "known: memory, redb")]
#[case::no_path("{ type: redb }", "metadata.stores.m.redb.path", "missing", "give it a value")]
#[case::cache("{ type: redb, redb: { path: /x, cache: much } }", "metadata.stores.m.redb.cache", "fit", "a size")]
#[case::colour("{ type: redb, redb: { path: /x, colour: 1 } }", "metadata.stores.m.redb.colour", "known", "cache")]
#[case::data_itself("{ type: redb, redb: { path: . } }", "metadata.stores.m.redb.path", "around", "of its own")]
#[case::option_of_memory(
    "{ type: memory, memory: { path: /x } }",
    "metadata.stores.m.memory.path",
    "not known",
    "no such option"
)]
#[case::stray_option("{ type: memory, path: /x }", "metadata.stores.m.path", "not known", "below `memory`")]
#[case::options_not_a_mapping("{ type: memory, memory: 3 }", "metadata.stores.m.memory", "not a mapping", "below it")]
fn a_store_is_refused(#[case] store: &str, #[case] key: &str, #[case] found: &str, #[case] mend: &str) {
    let text = format!(
        "metadata: {{ stores: {{ m: {store}, good: {{ type: memory }} }} }}\n\
         content: {{ stores: {{ c: {{ type: memory }} }} }}\n\
         shares: [{{ name: /e, metadata_store: good, content_store: c }}]\n"
    );
    assert_refused(load_text(&text, &[]), key, found, mend);
}

#[rstest]
#[case::durability("durability: local", "durability", "can't give `local`", "`none`")]
#[case::remote("durability: remote", "durability", "not built yet", "`none`")]
#[case::durability_word("durability: strong", "durability", "`strong`", "local")]
#[case::compression("compression: rar", "compression", "`rar`", "none, zstd")]
#[case::squash("squash: some", "squash", "`some`", "none, root, all")]
#[case::atime("atime: strict", "atime", "`strict`", "relatime, none")]
#[case::read_only("read_only: perhaps", "read_only", "`perhaps`", "true or false")]
#[case::anonymous_root("anonymous_uid: 0", "anonymous_uid", "`0`", "range")]
#[case::anonymous_no_id("anonymous_gid: 4294967295", "anonymous_gid", "4294967295", "range")]
#[case::id_in_memory("id: 7", "id", "new id at each start", "leave")]
#[case::quota("quota: 0", "quota", "no room", "no limit")]
#[case::no_clients("clients: []", "clients", "nobody", "127.0.0.0/8")]
#[case::clients_not_a_list("clients: 127.0.0.1", "clients", "not a list", "list")]
#[case::bad_network("clients: [localhost]", "clients[0]", "`localhost`", "networks")]
#[case::bad_prefix("clients: [\"::1\", 10.0.0.0/33]", "clients[1]", "10.0.0.0/33", "networks")]
#[case::host_bits("clients: [10.1.2.3/8]", "clients[0]", "behind its prefix", "10.0.0.0/8")]
#[case::smb_name("smb_name: e", "smb_name", "not built yet", "leave")]
#[case::unknown("colour: red", "colour", "not known", "read_only")]
fn a_field_of_a_share_is_refused(#[case] fields: &str, #[case] key: &str, #[case] found: &str, #[case] mend: &str) {
    let result = load_text(&with_share(fields), &[]);
    assert_refused(result, &format!("shares[0].{key}"), found, mend);
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
fn shares_are_refused(#[case] shares: &str, #[case] key: &str, #[case] found: &str, #[case] mend: &str) {
    let problems = problems(load_text(&with_shares(shares), &[]));
    let first = &problems[0];
    assert_eq!(first.key, key, "{problems:#?}");
    assert!(first.found.contains(found), "{problems:#?}");
    assert!(first.mend.contains(mend), "{problems:#?}");
}

#[test]
fn stores_without_shares_are_refused() {
    let text = "metadata: { stores: { m: { type: memory } } }";
    assert_refused(load_text(text, &[]), "shares", "0 shares", "name 1");
}

#[test]
fn every_problem_is_told_at_once() {
    let text = with_share("squash: some, quota: x") + "log: { level: loud }\nfoo: 1\n";
    let keys: Vec<String> = problems(load_text(&text, &[])).into_iter().map(|p| p.key).collect();
    assert_eq!(keys, ["shares[0].squash", "shares[0].quota", "log.level", "foo"]);
}

#[rstest]
#[case::twice("log: {}\nlog: {}\n", "`log` is given twice")]
#[case::not_yaml("log: [", "")]
#[case::not_a_mapping("- log", "not a mapping")]
fn a_text_that_cannot_be_read_is_refused(#[case] text: &str, #[case] found: &str) {
    let problems = problems(load_text(text, &[]));
    assert_eq!(problems.len(), 1);
    assert!(problems[0].found.contains(found), "{problems:#?}");
}

#[test]
fn a_missing_file_is_refused() {
    let none = std::iter::empty();
    let path = std::path::Path::new("/nowhere/dittofs.yaml");
    let problems = problems(load(Some(path), none, &StoreKinds::built_in()));
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

#[test]
fn variables_override_single_fields() {
    let environment = [
        ("DITTOFS_LOG__LEVEL", "trace"),
        ("DITTOFS_JOURNAL__SIZE", "2GiB"),
        ("DITTOFS_ADAPTERS__NFS__LISTEN", "[::1]:0"),
        ("DITTOFS_ADAPTERS__NFS__LIMITS__CONNECTIONS", "7"),
        ("DITTOFS_SHARES__0__READ_ONLY", "true"),
        ("DITTOFS_SHARES__0__CLIENTS", "[10.0.0.0/8]"),
        ("DITTOFS_SHARES__0__CLIENTS__0", "192.168.0.0/16"),
        ("OTHER_LOG__LEVEL", "loud"),
    ];
    let text = SAMPLE.replace("level: info", "level: warn");
    let config = load_text(&text, &environment).unwrap();
    assert_eq!(config.log.level, LogLevel::Trace);
    assert_eq!(config.journal.size, ByteSize(2 << 30));
    assert_eq!(config.adapters.nfs.listen.to_string(), "[::1]:0");
    assert_eq!(config.adapters.nfs.limits.connections, 7);
    assert!(config.shares[0].read_only);
    assert_eq!(config.shares[0].clients[0].to_string(), "192.168.0.0/16");
}

#[test]
fn variables_override_the_defaults_where_there_is_no_file() {
    let environment = [("DITTOFS_LOG__FORMAT".to_owned(), "json".to_owned())];
    let config = load_on(Some(Path::new(DATA)), None, environment, &StoreKinds::built_in()).unwrap();
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.shares[0].name, "/export");
}

#[test]
fn a_problem_names_the_variable_that_set_the_value() {
    let environment = [("DITTOFS_LOG__LEVEL", "loud")];
    let error = load_text(SAMPLE, &environment).unwrap_err();
    assert_eq!(error.0[0].variable.as_deref(), Some("DITTOFS_LOG__LEVEL"));
    assert!(error.to_string().contains("set by DITTOFS_LOG__LEVEL"), "{error}");
}

#[rstest]
#[case::unknown("DITTOFS_COLOUR", "colour", "not known")]
#[case::no_such_item("DITTOFS_SHARES__5__READ_ONLY", "DITTOFS_SHARES__5__READ_ONLY", "has 1")]
#[case::below_a_value("DITTOFS_LOG__LEVEL__X", "DITTOFS_LOG__LEVEL__X", "below a plain value")]
#[case::empty_part("DITTOFS_LOG____LEVEL", "DITTOFS_LOG____LEVEL", "empty")]
fn a_variable_that_leads_nowhere_is_refused(#[case] variable: &str, #[case] key: &str, #[case] found: &str) {
    assert_refused(load_text(SAMPLE, &[(variable, "1")]), key, found, "");
}

const DISK: &str = "metadata: { stores: { m: { type: disk, disk: { path: /m } }, scratch: { type: memory } } }\n\
                    content: { stores: { c: { type: disk, disk: { path: /c } }, scratch: { type: memory } } }\n";

#[rstest]
#[case::strongest_by_default("m", "c", "", Durability::Local)]
#[case::as_asked("m", "c", ", durability: local, id: 7", Durability::Local)]
#[case::memory("scratch", "scratch", "", Durability::None)]
fn a_registered_kind_gives_its_durability(
    #[case] metadata: &str,
    #[case] content: &str,
    #[case] rest: &str,
    #[case] durability: Durability,
) {
    let share = format!("{DISK}shares: [{{ name: /e, metadata_store: {metadata}, content_store: {content}{rest} }}]");
    let config = load_with(&share, &[], &kinds_with_disk()).unwrap();
    assert_eq!(config.shares[0].durability, durability);
}

#[rstest]
#[case::remote("m", "c", ", durability: remote", "durability", "not built yet")]
#[case::none_over_disk("m", "c", ", durability: none", "durability", "in memory only")]
#[case::lost_content("m", "scratch", "", "content_store", "outlives")]
#[case::lost_metadata("scratch", "c", "", "content_store", "outlives")]
fn a_durability_that_the_stores_cannot_give_is_refused(
    #[case] metadata: &str,
    #[case] content: &str,
    #[case] rest: &str,
    #[case] key: &str,
    #[case] found: &str,
) {
    let share = format!("{DISK}shares: [{{ name: /e, metadata_store: {metadata}, content_store: {content}{rest} }}]");
    let result = load_with(&share, &[], &kinds_with_disk());
    assert_refused(result, &format!("shares[0].{key}"), found, "");
}

#[rstest]
#[case::wrong_type("{ path: /m, depth: hunter2 }", "depth", "does not fit")]
#[case::missing("{ depth: 3 }", "path", "missing")]
#[case::unknown("{ path: /m, hunter: hunter2 }", "hunter", "not known")]
fn options_of_a_store_are_refused_without_their_value(
    #[case] options: &str,
    #[case] option: &str,
    #[case] found: &str,
) {
    let text = format!(
        "metadata: {{ stores: {{ m: {{ type: memory }}, d: {{ type: disk, disk: {options} }} }} }}\n\
         content: {{ stores: {{ c: {{ type: memory }} }} }}\n\
         shares: [{{ name: /e, metadata_store: m, content_store: c }}]\n"
    );
    let error = load_with(&text, &[], &kinds_with_disk()).unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert_refused(Err(error), &format!("metadata.stores.d.disk.{option}"), found, "");
}

#[rstest]
#[case::same("/x", "/x", "is the folder of metadata.stores.m.redb.path too")]
#[case::within("/x", "/x/y", "within each other")]
#[case::around("/x/y", "/x", "within each other")]
#[case::relative("/data/a/b", "a", "within each other")]
fn stores_in_each_others_folders_are_refused(#[case] metadata: &str, #[case] content: &str, #[case] found: &str) {
    let text = format!(
        "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: {metadata} }} }} }} }}\n\
         content: {{ stores: {{ c: {{ type: fs, fs: {{ path: {content} }} }} }} }}\n\
         shares: [{{ name: /e, metadata_store: m, content_store: c }}]\n"
    );
    assert_refused(load_text(&text, &[]), "content.stores.c.fs.path", found, "of its own");
}

#[test]
fn a_journals_folder_is_refused_where_nothing_would_be_put_there() {
    let text = with_share("") + "journal: { path: /j }\n";
    assert_refused(load_text(&text, &[]), "journal.path", "in memory", "leave");
}

#[test]
fn options_of_a_store_are_not_printed() {
    let text = format!("{DISK}shares: [{{ name: /e, metadata_store: m, content_store: c }}]")
        .replace("path: /m", "path: hunter2");
    let config = load_with(&text, &[], &kinds_with_disk()).unwrap();
    let printed = format!("{config:?}");
    assert!(printed.contains("path") && !printed.contains("hunter2"), "{printed}");
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
