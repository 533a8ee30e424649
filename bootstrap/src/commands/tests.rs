use clap::Parser;
use rstest::rstest;

use super::*;
use crate::config::Protocols;

fn run_with(words: &[&str]) -> Result<(), Failure> {
    let words = ["dittofs"].iter().chain(words);
    carry_out(Cli::try_parse_from(words).unwrap().command, &Program::built_in())
}

fn printed(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    print(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn init_writes_what_check_accepts_and_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dittofs.yaml");
    let file = path.to_str().unwrap();
    run_with(&["init", file]).unwrap();
    run_with(&["config", "check", "--config", file]).unwrap();
    std::fs::write(&path, "mine").unwrap();
    assert!(matches!(run_with(&["init", file]), Err(Failure::InitExists { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

/// The default configuration, on this data folder.
fn config_on(data: &Path) -> Config {
    config::load_on(Some(data), None, [], &StoreKinds::built_in(), &Protocols::built_in()).unwrap()
}

#[test]
fn shares_are_listed_and_shown_without_a_server_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let shares = shares(&config_on(&data), &StoreKinds::built_in()).unwrap();
    let list = printed(|out| share::list(&shares, out));
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[1].starts_with("/export  local       read, write  none"), "{list}");
    assert!(lines[1].ends_with("not served; made when it is first"), "{list}");
    let show = printed(|out| share::show(&shares.shares[0], out));
    let journal = data.join("journal");
    assert!(show.contains(&format!("local (redb in {})", data.join("metadata").display())), "{show}");
    assert!(
        show.contains(&format!("first in the journal ({}), then in the content store", journal.display())),
        "{show}"
    );
    assert!(
        show.contains("COMMIT and stable writes are answered when they are synced in the share's journal"),
        "{show}"
    );
    assert!(show.contains("as good as committed after 5 s"), "{show}");
    assert!(show.contains("uid 65534, gid 65534"), "{show}");
    assert!(!data.exists());
}

#[test]
fn an_unknown_share_is_refused_with_those_known() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let error = run_with(&["share", "show", "/else", "--data", data]).unwrap_err();
    assert_eq!(error.to_string(), "there is no share `/else`; known: /export");
}

#[test]
fn a_share_is_renamed_in_its_store_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let (config, kinds) = (config_on(folder.path()), StoreKinds::built_in());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let names = || {
        let stored = runtime.block_on(stored::StoredShares::open(&config, &kinds)).unwrap();
        let mut names: Vec<String> = stored.stores[0].shares.iter().map(|record| record.name.clone()).collect();
        names.sort();
        names
    };
    runtime.block_on(async {
        let stores = config::open_stores(&config.metadata, &kinds.metadata).await.unwrap();
        for (id, name) in [(1, "/old"), (2, "/other")] {
            let record = dittofs_ports::ShareRecord {
                handle_key: dittofs_domain::HandleKey([7; 16]),
                content_owner: 1,
                ..dittofs_ports::ShareRecord::new(dittofs_domain::ShareId(id), name)
            };
            let root = dittofs_domain::Node::root(0, 0, 0o755, dittofs_domain::Timestamp::new(1, 0).unwrap());
            stores["local"].create_share(&record, &root).await.unwrap();
        }
    });
    let rename = |old, new| rename::rename(old, new, &config, &kinds, &mut Vec::new());
    assert!(matches!(rename("/old", "new"), Err(rename::RenameError::Name { .. })));
    assert!(matches!(rename("/old", "/other"), Err(rename::RenameError::Taken(_))));
    assert!(matches!(rename("/absent", "/new"), Err(rename::RenameError::Unknown { .. })));
    assert_eq!(names(), ["/old", "/other"]);
    let mut out = Vec::new();
    rename::rename("/old", "/new", &config, &kinds, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("/old is /new now") && text.contains("in the configuration too"), "{text}");
    assert_eq!(names(), ["/new", "/other"]);
}

#[rstest]
#[case(&["serve", "--nfs", "nowhere"])]
#[case(&["serve", "--colour"])]
#[case(&["share", "show"])]
#[case(&["share", "rename", "/old"])]
#[case(&["serve", "--accept-loss"])]
#[case(&["completions", "abacus"])]
fn wrong_words_are_refused(#[case] words: &[&str]) {
    let words = ["dittofs"].iter().chain(words);
    assert_eq!(Cli::try_parse_from(words).unwrap_err().exit_code(), 2);
}
