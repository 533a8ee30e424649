use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::{
    access::AccessMask,
    acl::{Ace, AclFlags, Who},
};

const QUOTA: Quota = Quota { bytes: 1_000, nodes: 10 };

fn holding(stored: u64, coming: u64, is_freeing: bool) -> Holding {
    Holding { stored: Amount::of_bytes(stored), coming: Amount::of_bytes(coming), is_freeing }
}

#[test]
fn what_fits_what_is_waited_for_and_what_is_refused() {
    let cases = [
        (holding(900, 0, false), 100, Verdict::Fits),
        (holding(900, 0, false), 101, Verdict::Over),
        (holding(900, 0, true), 101, Verdict::Wait),
        (holding(900, 0, true), 1_001, Verdict::Over),
        // The bytes that are not stored yet may turn out to be fewer.
        (holding(500, 500, false), 1, Verdict::Wait),
        (holding(999, 500, false), 1, Verdict::Wait),
        (holding(1_000, 500, false), 1, Verdict::Over),
        // A flush filled holes next to the written bytes, or the quota has become smaller.
        (holding(5_000, 500, false), 0, Verdict::Fits),
        (holding(u64::MAX, u64::MAX, false), u64::MAX, Verdict::Over),
    ];
    for (holding, growth, verdict) in cases {
        assert_eq!(judge(QUOTA, holding, Amount::of_bytes(growth)), verdict, "{holding:?} {growth}");
    }
}

#[test]
fn nodes_are_bounded_by_themselves() {
    let full = Holding { stored: Amount { bytes: 0, nodes: 10 }, ..Holding::default() };
    assert_eq!(judge(QUOTA, full, Amount { bytes: 1, nodes: 1 }), Verdict::Over);
    assert_eq!(judge(QUOTA, full, Amount::of_bytes(1_000)), Verdict::Fits);
    let coming = Holding { coming: Amount { bytes: 0, nodes: 1 }, stored: Amount { bytes: 0, nodes: 9 }, ..full };
    assert_eq!(judge(QUOTA, coming, Amount { bytes: 1, nodes: 1 }), Verdict::Wait);
    assert_eq!(judge(Quota::NONE, full, Amount { bytes: 1 << 60, nodes: 1 << 60 }), Verdict::Fits);
}

proptest! {
    /// Requests that are admitted one after another never exceed the bound, and less is never refused where more fits.
    #[test]
    fn what_is_let_in_stays_within_the_bound(
        stored in 0u64..2_000, coming in 0u64..2_000, growth in 1u64..2_000, less in 0u64..2_000, freeing: bool,
    ) {
        let holding = holding(stored, coming, freeing);
        let verdict = judge(QUOTA, holding, Amount::of_bytes(growth));
        prop_assert_eq!(verdict == Verdict::Fits, stored + coming + growth <= QUOTA.bytes);
        prop_assert_eq!(verdict == Verdict::Over, growth > QUOTA.bytes || stored + growth > QUOTA.bytes && !freeing);
        if verdict == Verdict::Fits {
            prop_assert_eq!(judge(QUOTA, holding, Amount::of_bytes(growth.min(less))), Verdict::Fits);
        }
    }
}

#[test]
fn what_comes_and_goes_counts_the_same() {
    let target: Arc<[u8]> = b"to/somewhere".as_slice().into();
    let symlink = Node {
        id: NodeId(9),
        kind: NodeKind::Symlink,
        links: 1,
        target: Some(target),
        ..Node::root(0, 0, 0o777, crate::Timestamp::EPOCH)
    };
    let come = counted(&[node_comes(&symlink), name_comes()]);
    assert_eq!(come, Statistics { bytes: (NODE_BYTES + 12 + 2 * NAME_BYTES) as i64, nodes: 1 });
    let two_names = Node { links: 2, ..symlink.clone() };
    assert_eq!(metadata_bytes(&two_names) as i64, come.bytes);
    assert_eq!(
        counted(&[node_goes(&two_names), name_goes(), name_goes()]),
        Statistics { bytes: -come.bytes, nodes: -1 }
    );
    let unlinked = Node { links: 0, flags: NodeFlags::UNLINKED, ..symlink };
    assert_eq!(metadata_bytes(&unlinked), NODE_BYTES + 12);
    assert_eq!(metadata_bytes(&Node::root(0, 0, 0o777, crate::Timestamp::EPOCH)), 0);
}

#[test]
fn a_list_counts_as_much_as_is_kept_of_it() {
    let list = |entries| {
        Arc::new(Acl::new(vec![Ace::allow(Who::User(1), AccessMask::READ_DATA); entries], AclFlags::empty()).unwrap())
    };
    let file =
        Node { id: NodeId(9), kind: NodeKind::File, links: 1, ..Node::root(0, 0, 0o777, crate::Timestamp::EPOCH) };
    let (one, three) = (list(1), list(3));
    let with_one = Node { acl: Some(one.clone()), ..file.clone() };
    let with_three = Node { acl: Some(three.clone()), ..file.clone() };
    let changes =
        [node_comes(&file), acl_changes(&file, Some(&one)).unwrap(), acl_changes(&with_one, Some(&three)).unwrap()];
    assert_eq!(counted(&changes).bytes, metadata_bytes(&with_three) as i64);
    assert_eq!(metadata_bytes(&with_three) - metadata_bytes(&file), 2 + 3 * 11);
    assert_eq!(acl_changes(&with_one, Some(&one)), None, "nothing changes");
    let gone = counted(&[acl_changes(&with_three, None).unwrap(), node_goes(&file), name_goes()]);
    assert_eq!(gone.bytes, -(metadata_bytes(&with_three) as i64));
    assert_eq!(acl_changes(&Node::root(0, 0, 0o777, crate::Timestamp::EPOCH), Some(&one)), None, "the root's");
}
