//! Stores, their options and folders, and the durability that they give.

use super::*;

#[rstest]
#[case::unknown_type(
    "{ type: disk }",
    "metadata.stores.m.type",
    "`disk` is not known here",
    "known: memory, postgres, redb"
)]
#[case::no_type("{ }", "metadata.stores.m.type", "missing", "known: memory, postgres, redb")]
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
fn a_store_is_refused(#[case] store: &str, #[case] key: &str, #[case] found: &str, #[case] fix: &str) {
    let text = format!(
        "metadata: {{ stores: {{ m: {store}, good: {{ type: memory }} }} }}\n\
         content: {{ stores: {{ c: {{ type: memory }} }} }}\n\
         shares: [{{ name: /e, metadata_store: good, content_store: c }}]\n"
    );
    assert_refused(load_text(&text, &[]), key, found, fix);
}

const DISK: &str = "metadata: { stores: { m: { type: disk, disk: { path: /m } }, scratch: { type: memory }, \
                    redb: { type: redb, redb: { path: /redb } }, less: { type: postgres, postgres: { host: h, user: u, \
                    database: d, outlives_machine: false } } } }\n\
                    content: { stores: { c: { type: disk, disk: { path: /c } }, scratch: { type: memory } } }\n";

#[rstest]
#[case::strongest_by_default("m", "c", "", Durability::Local)]
#[case::as_asked("m", "c", ", durability: local, id: 7", Durability::Local)]
#[case::remote("m", "c", ", durability: remote, inline_max: 128KiB", Durability::Remote)]
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
#[case::remote(
    "redb",
    "c",
    ", durability: remote",
    "durability",
    "`redb` outlives a loss of power, but not its machine"
)]
#[case::states_less("less", "c", ", durability: remote", "durability", "can't give `remote`")]
#[case::inline("m", "c", ", durability: remote, inline_max: 129KiB", "inline_max", "too much")]
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
    assert_refused(load_text(&text, &[]), "journal.path", "no share keeps a journal", "leave");
}

#[test]
fn options_of_a_store_are_not_printed() {
    let text = format!("{DISK}shares: [{{ name: /e, metadata_store: m, content_store: c }}]")
        .replace("path: /m", "path: hunter2");
    let config = load_with(&text, &[], &kinds_with_disk()).unwrap();
    let printed = format!("{config:?}");
    assert!(printed.contains("path") && !printed.contains("hunter2"), "{printed}");
}
