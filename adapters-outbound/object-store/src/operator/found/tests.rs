use super::*;

#[test]
fn every_put_says_a_type_where_the_store_keeps_one() {
    for (keeps_types, expected) in [(true, Some(CONTENT_TYPE)), (false, None)] {
        let found = Found { puts_only_new: true, keeps_types, replaces_only_seen: true, versions: Versions::Tags };
        let puts = [found.only_new(), found.only_new_in_parts(1, 1), found.over(None), found.over(Some("v".into()))];
        assert_eq!(puts.map(|put| put.content_type), [(); 4].map(|()| expected.map(str::to_owned)));
    }
}

#[test]
fn what_was_seen_is_named_as_the_service_tells_versions_apart() {
    let tags = Capability { write_with_if_match: true, write_with_if_version_match: true, ..Capability::default() };
    assert_eq!(Versions::of(tags), Versions::Tags);
    let numbers =
        Capability { write_with_if_version_match: true, read_with_if_version_match: true, ..Capability::default() };
    assert_eq!(Versions::of(numbers), Versions::Numbers);

    let found =
        Found { puts_only_new: true, keeps_types: false, replaces_only_seen: true, versions: Versions::Numbers };
    let (over, only) = (found.over(Some("7".into())), found.only(Some("7".into()), numbers));
    assert_eq!([over.if_version_match, over.if_match], [Some("7".into()), None]);
    assert_eq!([only.if_version_match, only.if_match], [Some("7".into()), None]);
    assert_eq!(found.only(Some("7".into()), Capability::default()).if_version_match, None);
}
