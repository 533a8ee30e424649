//! Bytes in objects that are sealed.

use std::sync::Arc;

use dittofs_domain::{
    check::{Damage, Finding},
    content::{
        FRAME_BYTES,
        block::{BlockError, SEAL_BYTES, head_len},
        object::scan,
    },
};
use dittofs_frame_sealer::Sealer;
use dittofs_ports::{CheckOptions, FrameSealer};
use dittofs_tests::world::keys;

use crate::share::{MIB, QUIET, Share, assert_clean};

fn on_sealed_share(case: impl AsyncFn(Share)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { case(Share::closed_with(false, keys(2, true)).await).await });
}

/// Exchanges the first two frames of the largest block of a file, and makes all checksums right.
async fn exchange(share: &Share, path: &str) {
    let object = share.object(path).await;
    let mut bytes = share.bytes_of(&object).await;
    let (_, blocks) = scan(&bytes).unwrap();
    let (at, mut head) = blocks.into_iter().max_by_key(|(_, head)| head.raw_len).unwrap();
    let (first, frame) = (at as usize + head_len(head.raw_len) as usize, (FRAME_BYTES + SEAL_BYTES) as usize);
    let (one, other) = bytes[first..first + 2 * frame].split_at_mut(frame);
    one.swap_with_slice(other);
    head.frames.swap(0, 1);
    let encoded = head.encode_in(object.id, at);
    bytes[at as usize..at as usize + encoded.len()].copy_from_slice(&encoded);
    share.replace(object.id, bytes).await;
}

#[test]
fn what_was_exchanged_behind_right_checksums_is_told() {
    on_sealed_share(async |share: Share| {
        assert_clean(&share.check_offline(QUIET).await);
        exchange(&share, "/docs/report").await;
        let told = share.finds(&[("damaged", "/docs/report")]).await;
        let Finding::Damaged { range, damage, .. } = &told.findings[0].finding else { panic!("{told:#?}") };
        assert_eq!((range.clone(), damage), (0..2 * u64::from(FRAME_BYTES), &Damage::Block(BlockError::Seal(0))));
        // Only the key tells.
        assert!(share.check_with(QUIET, Arc::new(Sealer::none())).await.findings.is_empty());
    });
}

#[test]
fn what_is_sealed_is_told_by_key_and_a_missing_key_is_no_damage() {
    on_sealed_share(async |share: Share| {
        let told = share.check(QUIET).await;
        let [under] = told.keys.as_slice() else { panic!("{told:#?}") };
        assert!((under.key_id, under.is_known) == (keys(2, true).key_id(), true) && under.objects >= 1, "{under:?}");
        assert!(under.bytes as usize > 3 * MIB + 5_000 && under.bytes < 4 << 20, "{under:?}");
        let without = share.check_with(QUIET, keys(1, true)).await;
        assert!(without.findings.is_empty() && !without.is_clean(), "{without:#?}");
        assert_eq!(
            without.keys.iter().map(|key| (key.key_id, key.is_known)).collect::<Vec<_>>(),
            [(keys(2, true).key_id(), false)]
        );
        let quick = share.check(CheckOptions { content: false, ..QUIET }).await;
        assert!(quick.is_clean() && quick.keys.is_empty(), "{quick:#?}");
    });
}
