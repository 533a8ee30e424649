use std::collections::HashSet;

use super::*;

#[test]
fn no_number_comes_twice() {
    let (one, other) = (SystemRandomness::new().unwrap(), SystemRandomness::new().unwrap());
    let mut seen = HashSet::new();
    for _ in 0..1_000 {
        assert!(seen.insert(one.bits64()));
        assert!(seen.insert(one.derived()));
        assert!(seen.insert(other.derived()));
    }
    assert_ne!(one.bits128() >> 64, one.bits128() & u128::from(u64::MAX));
}
