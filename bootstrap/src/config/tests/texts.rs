//! Texts that are no configuration.

use super::*;

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
