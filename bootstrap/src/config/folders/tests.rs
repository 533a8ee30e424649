use rstest::rstest;

use super::*;

fn user(data_home: Option<&str>, home: Option<&str>) -> Surroundings {
    Surroundings { is_root: false, data_home: data_home.map(Into::into), home: home.map(Into::into) }
}

#[rstest]
#[case::root(Surroundings { is_root: true, ..user(None, Some("/home/me")) }, Some("/var/lib/dittofs"))]
#[case::data_home(user(Some("/data"), Some("/home/me")), Some("/data/dittofs"))]
#[case::home(user(None, Some("/home/me")), Some("/home/me/.local/share/dittofs"))]
#[case::relative(user(Some("data"), Some("/home/me")), Some("/home/me/.local/share/dittofs"))]
#[case::nowhere(user(None, None), None)]
fn data_go_where_their_kind_is_kept(#[case] surroundings: Surroundings, #[case] expected: Option<&str>) {
    assert_eq!(surroundings.data().as_deref(), expected.map(Path::new));
}

#[rstest]
#[case::beside("/a", "/ab", "")]
#[case::below_data("a", "b/c", "")]
#[case::same("/a", "/a/", "is the folder of one too")]
#[case::same_by_a_detour("/a/b", "/a/./c/../b", "is the folder of one too")]
#[case::within("/a", "/a/b", "within each other")]
#[case::around("/a/b", "/a", "within each other")]
#[case::relative_and_absolute("a", "/data/a/b", "within each other")]
#[case::data_itself("/a", ".", "is, or is around, the data folder")]
#[case::around_data("/a", "/", "is, or is around, the data folder")]
#[case::empty("/a", "", "is empty")]
fn folders_that_meet_are_refused(#[case] one: &str, #[case] other: &str, #[case] found: &str) {
    let report = Report::default();
    let mut folders = Folders::new(Some(Path::new("/data")), &Surroundings::default(), &report);
    assert!(folders.claim("one", Path::new(one)).is_some());
    folders.claim("other", Path::new(other));
    assert_eq!(report.is_clean(), found.is_empty());
    if !found.is_empty() {
        let problem = &report.into_error().0[0];
        assert!(problem.key == "other" && problem.found.contains(found), "{problem:?}");
    }
}

#[test]
fn nothing_that_needs_a_folder_needs_no_data_folder() {
    let report = Report::default();
    assert_eq!(Folders::new(None, &user(None, Some("/home/me")), &report).data(), None);
    let mut folders = Folders::new(None, &user(None, None), &report);
    assert_eq!(folders.claim("one", Path::new("/a")), None);
    assert_eq!(report.into_error().0[0].key, "data");
}
