use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::info::{DirectoryClass, FileClass, VolumeClass};
use crate::security::posix_descriptor;

/// Bytes that are small more often than by chance, so that lengths and offsets point inside.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![3 => 0..16u8, 2 => Just(0), 1 => any::<u8>()], 0..200)
}

/// The first byte of a target that takes a class.
fn class() -> impl Strategy<Value = u8> {
    let known = FileClass::ALL.map(FileClass::code).into_iter();
    let known =
        known.chain(DirectoryClass::ALL.map(DirectoryClass::code)).chain(VolumeClass::ALL.map(VolumeClass::code));
    prop_oneof![proptest::sample::select(known.collect::<Vec<_>>()), any::<u8>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn arbitrary_bytes_never_panic(class in class(), bytes in bytes()) {
        let with_class = [&[class], &bytes[..]].concat();
        for (_, target) in TARGETS {
            target(&bytes);
            target(&with_class);
        }
    }

    #[test]
    fn a_damaged_descriptor_never_panics(damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6)) {
        let descriptor = posix_descriptor(Sid::unix_user(1), Sid::unix_group(2), 0o754, true);
        let mut bytes = descriptor.encode().unwrap().to_vec();
        for (index, value) in damage {
            *index.get_mut(&mut bytes) = value;
        }
        security_descriptor(&bytes);
    }
}
