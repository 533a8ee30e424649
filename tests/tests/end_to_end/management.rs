//! The program's other commands, beside a running server and without one.

use dittofs_tests::server::Home;

use crate::session::home;

fn printed(home: &Home, words: &[&str]) -> String {
    let output = home.run(words);
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_share_is_shown_with_what_its_clients_may_rely_on() {
    let home = home(None);
    assert!(printed(&home, &["share", "show", "/export"]).contains("not served; made when it is first"));
    assert!(!home.data().exists(), "to look makes nothing");
    let server = home.start();
    let shown = printed(&home, &["share", "show", "/export"]);
    let journal = home.data().join("journal");
    for word in [
        "state             served",
        "durability        local",
        "synced in the share's journal",
        "synced in the metadata store",
        "a loss of power",
        "after 5 s",
        "local (redb in ",
        "local (fs in ",
        journal.to_str().unwrap(),
        "bytes used        0",
    ] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let id = |shown: &str| shown.lines().find(|line| line.starts_with("id ")).unwrap().to_owned();
    let of_server = id(&shown);
    server.kill();
    let shown = printed(&home, &["share", "show", "/export"]);
    assert!(shown.contains("was not stopped cleanly"), "{shown}");
    assert_eq!(id(&shown), of_server);
    assert!(home.start().stop().status.success());
    let shown = printed(&home, &["share", "show", "/export"]);
    assert!(shown.contains("not served; stopped cleanly"), "{shown}");
}

#[test]
fn a_share_in_memory_says_that_nothing_survives() {
    let home = home(Some(dittofs_tests::server::ONE_SHARE));
    let _server = home.start();
    let shown = printed(&home, &["share", "show", "/export"]);
    assert!(shown.contains("durability        none") && shown.contains("nothing: it is gone"), "{shown}");
}

#[test]
fn shares_are_listed_by_a_running_server_and_not_renamed_under_it() {
    let home = home(None);
    let _server = home.start();
    let list = printed(&home, &["share", "list"]);
    assert!(list.lines().nth(1).unwrap().starts_with("/export  local"), "{list}");
    assert!(list.trim_end().ends_with("served"), "{list}");
    let refused = home.run(&["share", "rename", "/export", "/other"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("a server runs on this data folder"), "{said}");
}
