#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select};
use rstest::rstest;

use super::*;
use crate::error::FsError;

fn name(text: &str) -> XattrName {
    XattrName::new(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn set(text: &str, value: &[u8]) -> XattrChange {
    XattrChange::Set { name: name(text), value: Bytes::copy_from_slice(value), how: SetHow::Either }
}

fn changed(before: Option<&Xattrs>, changes: &[XattrChange]) -> Result<Option<Xattrs>, FsError> {
    Xattrs::changed(before, changes, ChangeId(7))
}

#[rstest]
#[case(b"", Err(FsError::Invalid))]
#[case(b"a\0", Err(FsError::Invalid))]
#[case(&[b'a'; 256], Err(FsError::NameTooLong))]
#[case(&[b'a'; 255], Ok(()))]
#[case(b"user.any: \xff thing", Ok(()))]
fn a_name_is_1_to_255_bytes_without_nul(#[case] bytes: &'static [u8], #[case] expected: Result<(), FsError>) {
    assert_eq!(XattrName::new(Bytes::from_static(bytes)).map(drop), expected);
}

/// What the rules say, without any thought for the form: names in lower case, with the name that was given first.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model(BTreeMap<String, (String, Vec<u8>)>);

impl Model {
    fn change(&mut self, change: &XattrChange) -> Result<(), FsError> {
        let text = |name: &XattrName| String::from_utf8(name.as_bytes().to_vec()).unwrap();
        let lower = |name: &XattrName| text(name).to_lowercase();
        match change {
            XattrChange::Set { name, value, how } => {
                let is_there = self.0.contains_key(&lower(name));
                match how {
                    SetHow::Create if is_there => return Err(FsError::Exists),
                    SetHow::Replace if !is_there => return Err(FsError::NoAttribute),
                    _ => {}
                }
                let entry = self.0.entry(lower(name)).or_insert_with(|| (text(name), Vec::new()));
                entry.1 = value.to_vec();
                Ok(())
            }
            XattrChange::Remove(name) => self.0.remove(&lower(name)).map(drop).ok_or(FsError::NoAttribute),
            XattrChange::RemoveAny(name) => {
                self.0.remove(&lower(name));
                Ok(())
            }
        }
    }

    fn of(xattrs: Option<&Xattrs>) -> Model {
        let all = xattrs.map_or(&[][..], Xattrs::all);
        let text = |xattr: &Xattr| String::from_utf8(xattr.name.as_bytes().to_vec()).unwrap();
        Model(all.iter().map(|xattr| (text(xattr).to_lowercase(), (text(xattr), xattr.value.to_vec()))).collect())
    }
}

fn some_name() -> impl Strategy<Value = XattrName> {
    select(vec!["a", "A", "b", "Author", "author", "AUTHOR", "c"]).prop_map(name)
}

fn some_change() -> impl Strategy<Value = XattrChange> {
    let how = select(vec![SetHow::Either, SetHow::Either, SetHow::Create, SetHow::Replace]);
    prop_oneof![
        3 => (some_name(), vec(any::<u8>(), 0..20), how)
            .prop_map(|(name, value, how)| XattrChange::Set { name, value: value.into(), how }),
        1 => some_name().prop_map(XattrChange::Remove),
        1 => some_name().prop_map(XattrChange::RemoveAny),
    ]
}

proptest! {
    #[test]
    fn calls_do_what_a_map_of_names_does(calls in vec(vec(some_change(), 1..4), 1..20)) {
        let (mut xattrs, mut model) = (None, Model::default());
        for changes in calls {
            let mut expected = model.clone();
            let outcome = changes.iter().try_for_each(|change| expected.change(change));
            let found = changed(xattrs.as_ref(), &changes);
            prop_assert_eq!(found.clone().map(drop), outcome);
            if let Ok(after) = found {
                (xattrs, model) = (after, expected);
            }
            prop_assert_eq!(&Model::of(xattrs.as_ref()), &model);
            let Some(xattrs) = &xattrs else { continue };
            let bytes: usize = model.0.values().map(|(name, value)| 5 + name.len() + value.len()).sum();
            prop_assert_eq!(xattrs.bytes() as usize, bytes);
            prop_assert_eq!(xattrs.get(&name("aUTHOR")).map(|xattr| xattr.value.to_vec()),
                model.0.get("author").map(|(_, value)| value.clone()));
            let kept: Bytes = xattrs.to_bytes().into();
            prop_assert_eq!(Xattrs::version_of(&kept), Ok(ChangeId(7)));
            prop_assert_eq!(&Xattrs::from_bytes(kept).unwrap(), xattrs);
        }
    }

    /// One by one, with changes in between.
    #[test]
    fn what_is_there_all_the_while_is_listed_exactly_once(
        first in vec(some_change(), 1..12),
        between in vec(some_change(), 0..12),
    ) {
        let sets = |changes: Vec<XattrChange>| changes.into_iter().map(|change| match change {
            XattrChange::Set { name, value, .. } => XattrChange::Set { name, value, how: SetHow::Either },
            XattrChange::Remove(name) | XattrChange::RemoveAny(name) => XattrChange::RemoveAny(name),
        });
        let mut xattrs = changed(None, &[sets(first).collect(), vec![set("stays", b"1")]].concat()).unwrap().unwrap();
        let mut between = sets(between);
        let (mut cookie, mut listed) = (0, Vec::new());
        while let Some(next) = xattrs.after(cookie).first().cloned() {
            prop_assert!(next.cookie > cookie);
            cookie = next.cookie;
            listed.push(next.name);
            if let Some(change) = between.next() {
                xattrs = changed(Some(&xattrs), &[change]).unwrap().unwrap();
            }
            prop_assert!(listed.len() < 100);
        }
        prop_assert_eq!(listed.iter().filter(|found| **found == name("stays")).count(), 1);
    }

    #[test]
    fn garbage_never_panics_and_what_is_read_comes_back(mut bytes in vec(any::<u8>(), 0..200)) {
        if let Some(format) = bytes.first_mut() {
            *format = 1 + *format % 2;
        }
        if let Ok(xattrs) = Xattrs::from_bytes(bytes.clone().into()) {
            prop_assert_eq!(xattrs.to_bytes(), bytes);
        }
    }
}

#[test]
fn all_together_may_be_64_kib_and_no_more() {
    let fits = XATTR_BYTES_MAX as usize - 6;
    let xattrs = changed(None, &[set("a", &vec![1; fits])]).unwrap().unwrap();
    assert_eq!(xattrs.bytes(), XATTR_BYTES_MAX);
    assert_eq!(changed(None, &[set("a", &vec![1; fits + 1])]), Err(FsError::AttributeTooLarge));
    assert_eq!(changed(Some(&xattrs), &[set("b", b"")]), Err(FsError::AttributeTooLarge));
    // One takes the place of the other.
    let other = changed(Some(&xattrs), &[set("b", &vec![2; fits]), XattrChange::Remove(name("A"))]).unwrap().unwrap();
    assert_eq!((other.bytes(), other.all().len()), (XATTR_BYTES_MAX, 1));
    assert_eq!(Xattrs::from_bytes(other.to_bytes().into()), Ok(other));
}

#[test]
fn there_are_at_most_4096_of_them() {
    let many =
        |count: usize| -> Vec<XattrChange> { (0..count).map(|number| set(&format!("{number:x}"), b"")).collect() };
    assert_eq!(changed(None, &many(XATTRS_MAX)).unwrap().unwrap().all().len(), XATTRS_MAX);
    assert_eq!(changed(None, &many(XATTRS_MAX + 1)), Err(FsError::AttributeTooLarge));
    let same: Vec<XattrChange> = (0..2 * XATTRS_MAX + 1).map(|_| set("a", b"")).collect();
    assert_eq!(changed(None, &same), Err(FsError::AttributeTooLarge), "changes are bounded as well");
}

#[test]
fn a_name_keeps_its_first_form_and_its_place() {
    let before = changed(None, &[set("Author", b"1"), set("b", b"2")]).unwrap().unwrap();
    let after = changed(Some(&before), &[set("AUTHOR", b"3")]).unwrap().unwrap();
    let names: Vec<&[u8]> = after.all().iter().map(|xattr| xattr.name.as_bytes()).collect();
    assert_eq!(names, [b"Author".as_slice(), b"b"]);
    assert_eq!(after.all()[0], Xattr { cookie: 1, name: name("Author"), value: Bytes::from_static(b"3") });
}

#[test]
fn none_are_no_attributes() {
    let one = changed(None, &[set("a", b"1")]).unwrap().unwrap();
    assert_eq!(changed(Some(&one), &[XattrChange::RemoveAny(name("A"))]), Ok(None));
    assert_eq!(changed(None, &[]), Ok(None));
    assert_eq!(Xattrs::from_bytes(Bytes::from_static(&[1, 7, 0, 0, 0, 0, 0, 0, 0])), Err(NoXattrs));
}
