use proptest::prelude::*;

use super::*;

fn name(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

fn listed(users: &[(&str, Permitted)], groups: &[(u32, Permitted)]) -> AccessList {
    AccessList::Listed {
        users: users.iter().map(|(user, permitted)| (name(user), *permitted)).collect(),
        groups: groups.iter().copied().collect(),
    }
}

#[test]
fn without_a_list_everybody_may_write() {
    assert_eq!(AccessList::default().permitted(&name("alice"), &Credentials::user(1, 1)), Permitted::Write);
}

#[test]
fn who_is_not_listed_may_nothing_not_even_as_the_privileged_user() {
    let list = listed(&[("bob", Permitted::Write)], &[(100, Permitted::Write)]);
    assert_eq!(list.permitted(&name("alice"), &Credentials::user(1, 1)), Permitted::None);
    assert_eq!(list.permitted(&name("root"), &Credentials::root()), Permitted::None);
}

#[test]
fn a_user_is_found_whatever_the_case_of_its_name() {
    let list = listed(&[("Alice", Permitted::Read)], &[]);
    assert_eq!(list.permitted(&name("ALICE"), &Credentials::user(1, 1)), Permitted::Read);
}

fn permitted() -> impl Strategy<Value = Permitted> {
    prop_oneof![Just(Permitted::None), Just(Permitted::Read), Just(Permitted::Write)]
}

proptest! {
    #[test]
    fn what_is_said_of_a_user_holds_over_its_groups(own in permitted(), of_group in permitted()) {
        let list = listed(&[("alice", own)], &[(7, of_group)]);
        prop_assert_eq!(list.permitted(&name("alice"), &Credentials::user(1, 7)), own);
        prop_assert_eq!(list.permitted(&name("bob"), &Credentials::user(2, 7)), of_group);
    }

    #[test]
    fn the_group_that_may_the_most_decides(
        said in prop::collection::btree_map(0_u32..6, permitted(), 0..6),
        gid in 0_u32..6,
        groups in prop::collection::vec(0_u32..6, 0..4),
    ) {
        let list = AccessList::Listed { users: BTreeMap::new(), groups: said.clone() };
        let credentials = Credentials { uid: 1, gid, groups: groups.iter().copied().collect() };
        let most = groups.iter().chain([&gid]).filter_map(|group| said.get(group)).max();
        prop_assert_eq!(list.permitted(&name("alice"), &credentials), most.copied().unwrap_or(Permitted::None));
    }
}
