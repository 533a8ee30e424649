use dittofs_domain::{FsError, Handle, HandleKey, NodeId, ShareId, Tree};
use proptest::prelude::*;

const KEY: HandleKey = HandleKey([7; 16]);

#[test]
fn layout_is_the_documented_one() {
    let bytes = KEY.sign(ShareId(0x0102_0304_0506_0708), NodeId(0x1112_1314_1516_1718)).to_bytes();
    assert_eq!(bytes[..8], [1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(bytes[8..16], [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(bytes[16..24], [0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18]);
}

#[test]
fn handle_is_the_same_at_every_start() {
    let tag = &KEY.sign(ShareId(1), NodeId(3)).to_bytes()[24..];
    assert_eq!(tag, KEY.sign(ShareId(1), NodeId(3)).to_bytes()[24..].to_vec());
    assert_ne!(tag, &HandleKey([8; 16]).sign(ShareId(1), NodeId(3)).to_bytes()[24..]);
}

#[test]
fn other_lengths_are_bad_handles() {
    let bytes = [KEY.sign(ShareId(1), NodeId(3)).to_bytes(), [0; 32]].concat();
    for length in (0..=64).filter(|length| *length != Handle::BYTES) {
        assert_eq!(Handle::from_bytes(&bytes[..length]), Err(FsError::BadHandle), "{length} bytes");
    }
}

#[test]
fn nodes_and_trees_out_of_range_are_stale() {
    let signed = |node| Handle::from_bytes(&KEY.sign(ShareId(1), NodeId(node)).to_bytes());
    for node in [0, 1, 2, 1 << 63, u64::MAX] {
        assert_eq!(signed(node), Err(FsError::Stale), "node {node}");
    }
    for node in [3, 4, i64::MAX as u64] {
        assert!(signed(node).is_ok(), "node {node}");
    }
    let mut snapshot = KEY.sign(ShareId(1), NodeId(3)).to_bytes();
    snapshot[7] = 1;
    assert_eq!(Handle::from_bytes(&snapshot).map(|handle| handle.tree), Ok(Tree(1)));
    snapshot[4] = 0x80;
    assert_eq!(Handle::from_bytes(&snapshot), Err(FsError::Stale));
}

#[test]
fn key_does_not_appear_where_it_is_printed() {
    assert_eq!(format!("{KEY:?}"), "HandleKey(..)");
}

proptest! {
    #[test]
    fn handle_comes_back_as_it_went(share in any::<u64>(), node in 3..=i64::MAX as u64, key in any::<[u8; 16]>()) {
        let handle = HandleKey(key).sign(ShareId(share), NodeId(node));
        let back = Handle::from_bytes(&handle.to_bytes()).unwrap();
        prop_assert_eq!(back, handle);
        prop_assert_eq!((back.share, back.node), (ShareId(share), NodeId(node)));
        prop_assert!(HandleKey(key).verify(&back));
    }

    #[test]
    fn handle_with_one_bit_flipped_is_refused(share in any::<u64>(), node in 3..=i64::MAX as u64) {
        let bytes = KEY.sign(ShareId(share), NodeId(node)).to_bytes();
        for bit in 0..256 {
            let mut forged = bytes;
            forged[bit / 8] ^= 1 << (bit % 8);
            match Handle::from_bytes(&forged) {
                Ok(handle) => prop_assert!(!KEY.verify(&handle), "bit {}", bit),
                Err(FsError::BadHandle) => prop_assert!(bit < 32, "bit {}", bit),
                Err(error) => prop_assert!(error == FsError::Stale && (32..192).contains(&bit), "bit {}", bit),
            }
        }
    }

    #[test]
    fn any_bytes_decode_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(handle) = Handle::from_bytes(&bytes) {
            prop_assert_eq!(handle.to_bytes().to_vec(), bytes);
        }
    }

    #[test]
    fn key_of_another_share_does_not_verify(key in any::<[u8; 16]>(), share in any::<u64>(), node in 3..=i64::MAX as u64) {
        prop_assume!(key != KEY.0);
        prop_assert!(!HandleKey(key).verify(&KEY.sign(ShareId(share), NodeId(node))));
    }
}
