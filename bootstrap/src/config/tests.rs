mod changes;
mod fields;
mod protocols;
mod shares;
mod snippets;
mod stores;
mod texts;
mod users;
mod variables;

use std::io::Write;

use dittofs_domain::credentials::Squash;
use dittofs_nfs::NfsOptions;
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
    load_on(Some(Path::new(DATA)), Some(file.path()), owned(environment), kinds, &Protocols::built_in())
}

/// As without any file.
fn defaults() -> Config {
    load_on(Some(Path::new(DATA)), None, [], &StoreKinds::built_in(), &Protocols::built_in()).unwrap()
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

fn nfs_of(config: &Config) -> &NfsOptions {
    config.adapters.options("nfs").expect("it is served by default")
}

fn problems(result: Result<Config, ConfigError>) -> Vec<Problem> {
    result.expect_err("the configuration should be refused").0
}

fn assert_refused(result: Result<Config, ConfigError>, key: &str, found: &str, fix: &str) {
    let problems = problems(result);
    let hit = |problem: &&Problem| problem.key == key && problem.found.contains(found) && problem.fix.contains(fix);
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
    for option in ["access", "quota", "id", "cache", "row_cache", "scratch", "disk", "audit"] {
        let commented = format!(" #{option}: ");
        assert!(text.contains(&commented), "{option}");
        text = text.replace(&commented, &format!(" {option}: "));
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let config = load(Some(file.path()), [], &StoreKinds::built_in(), &Protocols::built_in()).unwrap();
    assert_eq!(config.shares[0].quota, QuotaConfig { bytes: Some(ByteSize(100 << 30)), files: Some(1_000_000) });
    assert_eq!(config.cache.disk.unwrap().size, ByteSize(10 << 30));
    assert_eq!(config.shares[0].id, Some(1_234_567_890));
    assert!(config.metadata.contains_key("scratch") && config.content.contains_key("scratch"));
    assert_eq!(config.journal.path.as_deref(), Some(Path::new("/var/lib/dittofs/journal")));
}

#[test]
fn defaults_serve_one_persistent_share_on_loopback() {
    let config = defaults();
    let nfs = nfs_of(&config);
    assert_eq!(nfs.listen.to_string(), "127.0.0.1:12049");
    assert_eq!(nfs.portmap, None);
    assert_eq!(config.adapters.admin.listen, None);
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
        load_on(data.map(Path::new), file, home, &StoreKinds::built_in(), &Protocols::built_in()).unwrap()
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
    let config = load(Some(file.path()), [], &StoreKinds::built_in(), &Protocols::built_in()).unwrap();
    assert_eq!((config.data.clone(), config.journal.path.clone()), (None, None));
    assert_eq!(config.notices(), ["/e is in memory: its files are gone when the server stops"]);
}

#[test]
fn a_file_that_names_no_stores_and_no_shares_keeps_the_default_share() {
    let config = load_text("log: { level: debug }", &[]).unwrap();
    assert_eq!(config.shares[0].name, "/export");
    assert_eq!(config.log.levels, LogLevels::of(LogLevel::Debug));
}
