use clap::Parser;
use rstest::rstest;

use super::*;

fn run_with(words: &[&str]) -> Result<(), Failure> {
    let words = ["dittofs"].iter().chain(words);
    carry_out(Cli::try_parse_from(words).unwrap().command)
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
    assert!(matches!(run_with(&["init", file]), Err(Failure::Init { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn a_share_is_listed_with_all_its_columns() {
    let config = Config::defaults(&StoreKinds::built_in()).unwrap();
    let text = printed(|out| share::list(&config.shares, out));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[1].starts_with("/export  scratch   scratch  none"), "{text}");
    assert!(lines[1].ends_with("127.0.0.0/8, ::1/128"), "{text}");
}

#[test]
fn a_share_is_shown_with_the_contract_of_its_tier() {
    let config = Config::defaults(&StoreKinds::built_in()).unwrap();
    let text = printed(|out| share::show(&config.shares[0], &config, out));
    assert!(text.contains("scratch (memory)"), "{text}");
    assert!(text.contains("it is gone when the server stops"), "{text}");
    assert!(text.contains("uid 65534, gid 65534"), "{text}");
}

#[test]
fn an_unknown_share_is_refused_with_those_known() {
    let error = run_with(&["share", "show", "/else"]).unwrap_err();
    assert_eq!(error.to_string(), "there is no share `/else`; known: /export");
}

#[rstest]
#[case(&["serve", "--nfs", "nowhere"])]
#[case(&["serve", "--colour"])]
#[case(&["share", "show"])]
#[case(&["completions", "abacus"])]
fn wrong_words_are_refused(#[case] words: &[&str]) {
    let words = ["dittofs"].iter().chain(words);
    assert_eq!(Cli::try_parse_from(words).unwrap_err().exit_code(), 2);
}
