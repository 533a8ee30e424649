//! Which users of the server a share lets in.

use std::collections::BTreeMap;

use dittofs_domain::{
    credentials::NO_ID,
    users::{AccessList, Permitted, UserName},
};

use super::section::Section;

/// The words of the configuration for what a user may do.
const WORDS: [(&str, Permitted); 3] =
    [("none", Permitted::None), ("read", Permitted::Read), ("write", Permitted::Write)];

/// Entries of one list. Whoever has more users puts them into groups.
const ENTRIES_MAX: usize = 1_024;

/// The word of the configuration for what a user may do.
#[must_use]
pub fn permitted_word(permitted: Permitted) -> &'static str {
    match permitted {
        Permitted::None => "none",
        Permitted::Read => "read",
        Permitted::Write => "write",
    }
}

/// Reads the section `access` of a share; every user may where it is absent.
pub(super) fn read(share: &mut Section<'_>) -> AccessList {
    if !share.has("access") {
        return AccessList::Everybody;
    }
    let is_mapping = share.is_section("access");
    let mut section = share.take_section("access");
    let users = read_users(section.take_section("users"));
    let groups = read_groups(section.take_section("groups"));
    if is_mapping && !section.has_left() && section.report().is_clean() && !lets_in(&users) && !lets_in(&groups) {
        let found = "lets no user in";
        share.refuse(
            "access",
            found,
            "name users or groups below it, such as users: { alice: write }; or leave it out",
        );
    }
    section.finish();
    AccessList::Listed { users, groups }
}

fn lets_in<K>(list: &BTreeMap<K, Permitted>) -> bool {
    list.values().any(|permitted| *permitted > Permitted::None)
}

fn read_users(mut section: Section<'_>) -> BTreeMap<UserName, Permitted> {
    let mut users = BTreeMap::new();
    for (text, permitted) in entries(&mut section) {
        match UserName::new(&text) {
            Ok(name) if users.contains_key(&name) => {
                section.refuse(&text, "this user is named twice, as names have no case", "name each user once");
            }
            Ok(name) => drop(users.insert(name, permitted)),
            Err(fault) => {
                section.refuse(&text, format!("a name that {fault}"), "write names as `dittofs user list` does")
            }
        }
    }
    users
}

fn read_groups(mut section: Section<'_>) -> BTreeMap<u32, Permitted> {
    let mut groups = BTreeMap::new();
    for (text, permitted) in entries(&mut section) {
        match text.parse::<u32>() {
            Ok(gid) if gid != NO_ID => drop(groups.insert(gid, permitted)),
            _ => section.refuse(&text, "is not the id of a group", "write a number from 0 to 4294967294"),
        }
    }
    groups
}

/// The entries whose values are words for what somebody may do.
fn entries(section: &mut Section<'_>) -> Vec<(String, Permitted)> {
    let keys: Vec<String> = section.keys();
    if keys.len() > ENTRIES_MAX {
        let found = format!("{} entries are more than {ENTRIES_MAX}", keys.len());
        section.report().refuse(section.path(), found, "put users into groups");
        section.take_all();
        return Vec::new();
    }
    let permitted = keys.into_iter().filter_map(|key| Some((section.take_choice(&key, &WORDS)?, key)));
    permitted.map(|(permitted, key)| (key, permitted)).collect()
}
