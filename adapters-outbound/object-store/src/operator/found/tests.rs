use super::*;

#[test]
fn every_put_says_a_type_where_the_store_keeps_one() {
    for (keeps_types, expected) in [(true, Some(CONTENT_TYPE)), (false, None)] {
        let found = Found { puts_only_new: true, keeps_types, replaces_only_seen: true };
        let puts = [found.only_new(), found.only_new_in_parts(1, 1), found.over(None), found.over(Some("v".into()))];
        assert_eq!(puts.map(|put| put.content_type), [(); 4].map(|()| expected.map(str::to_owned)));
    }
}
