use proptest::prelude::*;

use super::*;

type Owned = (Kind, Vec<u8>, Option<Vec<u8>>);

fn steps_of(bytes: &[u8]) -> Result<Vec<Owned>, Fault> {
    let mut found = Vec::new();
    for_each_step(bytes, |step| {
        found.push((step.kind, step.key.to_vec(), step.value.map(<[u8]>::to_vec)));
        Ok(())
    })?;
    Ok(found)
}

fn any_step() -> impl Strategy<Value = Owned> {
    let kind = (0..10u8).prop_map(|kind| Kind::of(kind).unwrap());
    let bytes = || proptest::collection::vec(any::<u8>(), 0..300);
    (kind, bytes(), proptest::option::of(bytes()))
}

proptest! {
    #[test]
    fn steps_come_back_as_they_were(steps in proptest::collection::vec(any_step(), 0..20)) {
        let mut redo = Redo::default();
        for (kind, key, value) in &steps {
            redo.push(*kind, key, value.as_deref());
        }
        prop_assert_eq!(redo.steps(), steps.len() as u64);
        prop_assert_eq!(steps_of(redo.bytes()).unwrap(), steps);
        for cut in 1..redo.bytes().len().min(40) {
            let cut = &redo.bytes()[..redo.bytes().len() - cut];
            prop_assert!(steps_of(cut).is_err() || cut.is_empty() || steps_of(cut).unwrap().len() < redo.steps() as usize);
        }
    }

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = steps_of(&bytes);
    }
}

#[test]
fn a_step_is_these_bytes() {
    let mut redo = Redo::default();
    redo.push(Kind::Entry, b"key", Some(b"v"));
    redo.push(Kind::Row, b"k", None);
    assert_eq!(redo.bytes(), b"\x03\x03\0\x01\0\0\0keyv\x85\x01\0\0\0\0\0k");
}
