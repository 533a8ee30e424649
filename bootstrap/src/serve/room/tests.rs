use super::*;
use crate::config::{ByteSize, Protocols, StoreKinds, load_on};

const GIB: u64 = 1 << 30;

/// A configuration of so many shares, with a journal of 4 GiB and 128 MiB to read ahead.
fn config(shares: usize) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let kinds = (StoreKinds::built_in(), Protocols::built_in());
    let mut config = load_on(Some(folder.path()), None, [], &kinds.0, &kinds.1).unwrap();
    config.shares = vec![config.shares[0].clone(); shares];
    assert_eq!(config.journal.size, ByteSize(4 * GIB));
    config
}

#[test]
fn the_sum_stays_within_the_bounds_but_for_the_least() {
    let two = [Room::equal(&config(2)); 2];
    assert_eq!(two[0].journal_bytes, 2 * GIB);
    let third = Room::beside(&config(3), two.into_iter());
    assert_eq!(third, Room { journal_bytes: JOURNAL_BYTES_MIN, readahead_bytes: READAHEAD_BYTES_MIN });
    // One of the two has gone.
    let second = Room::beside(&config(2), two.into_iter().take(1));
    assert_eq!(second, Room::equal(&config(2)));
    let after_one_of_four = Room::beside(&config(2), std::iter::once(Room::equal(&config(4))));
    assert_eq!(after_one_of_four, Room::equal(&config(2)), "never more than an equal part");
}
