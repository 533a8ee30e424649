//! Bytes in objects that are sealed.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dittofs_domain::{
    FsError, KeyId, NodeId,
    check::{Damage, Finding},
    content::{
        FRAME_BYTES,
        block::{BlockError, FrameSeal, NONCE_BYTES, SEAL_BYTES, head_len},
        object::scan,
    },
    namespace::NewKind,
};
use dittofs_frame_sealer::{Keyring, Sealer};
use dittofs_ports::{
    BlockService, CheckOptions, FrameSealer, KeysInUse, SealError, ShareRecord, statistics::StatisticsService,
};
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
fn what_was_exchanged_behind_right_checksums_is_found() {
    on_sealed_share(async |share: Share| {
        assert_clean(&share.check_offline(QUIET).await);
        exchange(&share, "/docs/report").await;
        let report = share.finds(&[("damaged", "/docs/report")]).await;
        let Finding::Damaged { range, damage, .. } = &report.findings[0].finding else { panic!("{report:#?}") };
        assert_eq!((range.clone(), damage), (0..2 * u64::from(FRAME_BYTES), &Damage::Block(BlockError::Seal(0))));
        // Only the key shows it.
        assert!(share.check_with(QUIET, Arc::new(Sealer::none())).await.findings.is_empty());
    });
}

#[test]
fn what_is_sealed_is_reported_by_key_and_a_missing_key_is_no_damage() {
    on_sealed_share(async |share: Share| {
        let report = share.check(QUIET).await;
        let [under] = report.keys.as_slice() else { panic!("{report:#?}") };
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

/// Seals as releases did in which keys had numbers.
struct Numbered {
    sealer: Arc<Sealer>,
    number: u32,
}

impl FrameSealer for Numbered {
    fn key_id(&self) -> KeyId {
        KeyId::of_number(self.number)
    }

    fn demand(&self, key_id: KeyId) -> Result<(), SealError> {
        self.sealer.demand(key_id)
    }

    fn seal(&self, seal: &FrameSeal, nonce: [u8; NONCE_BYTES as usize], content: &[Bytes]) -> Result<Bytes, SealError> {
        self.sealer.seal(seal, nonce, content)
    }

    fn open(&self, seal: &FrameSeal, stored: &[u8]) -> Result<Bytes, SealError> {
        self.sealer.open(seal, stored)
    }
}

/// A key of a number, as a line of a key file.
fn line(number: u32, byte: u8) -> String {
    format!("{number} {}\n", format!("{byte:02x}").repeat(32))
}

fn sealer_of(text: &str) -> Arc<Sealer> {
    Arc::new(Sealer::with_keys(Keyring::parse(text.as_bytes()).unwrap(), true))
}

/// Two keys had the number 1, one after the other, as happened where a lost key file was replaced by a new one.
#[test]
fn what_two_keys_of_one_number_sealed_is_read_with_both_and_is_no_damage_without() {
    let (first, second) = (sealer_of(&line(1, 0x11)), sealer_of(&line(1, 0x22)));
    let both = sealer_of(&(line(1, 0x11) + &line(1, 0x22)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let share = Share::closed_with(false, Arc::new(Numbered { sealer: first, number: 1 })).await;
        let share = share.reopened(Arc::new(Numbered { sealer: Arc::clone(&second), number: 1 })).await;
        let late = share.make_in(NodeId::ROOT, "late", NewKind::File).await;
        share.write(late, 0, &[7; 5_000]).await;
        share.world.close().await;

        // Only the second is there.
        let share = share.reopened(second).await;
        assert_eq!(share.read("/late").await, [7; 5_000]);
        let node = share.node("/docs/report").await.id;
        let read = share.world.share.read(&share.caller, node, 0, 4_096).await;
        assert_eq!(read.unwrap_err(), FsError::Io);
        let counts = share.world.services.counts().remove(0);
        assert_eq!((counts.damaged_reads, counts.lost_reads), (0, 0));
        assert!(counts.keyless_reads > 0);
        let report = share.check(QUIET).await;
        assert!(report.findings.is_empty() && !report.is_clean(), "{report:#?}");
        let [under] = report.keys.as_slice() else { panic!("{report:#?}") };
        assert!(under.key_id == KeyId::of_number(1) && under.is_known && under.unopened > 0, "{under:?}");
        share.world.close().await;

        let share = share.reopened(both).await;
        let report = share.check(QUIET).await;
        assert!(report.is_clean(), "{report:#?}");
        assert_eq!(share.read("/docs/report").await.len(), 3 * MIB);
        assert_eq!(share.read("/late").await, [7; 5_000]);
        // Blocks that are written now have the key's own name.
        let node = share.node("/small").await.id;
        share.write(node, 0, &[8; 5_000]).await;
        let keys: Vec<KeyId> = share.check(QUIET).await.keys.iter().map(|under| under.key_id).collect();
        assert_eq!(keys, [KeyId::of_number(1), share.sealer.key_id()]);
        assert!(share.sealer.key_id().is_fingerprint());
        share.world.close().await;
    });
}

/// Where nothing can be read of an object because its key is missing, it stays as it is until the key is back.
#[test]
fn repacking_waits_for_a_key_that_is_missing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let share = Share::closed_with(false, sealer_of(&line(1, 0x11))).await;
        let object = share.object("/docs/report").await.id;
        let share = share.reopened(sealer_of(&line(2, 0x22))).await;
        let report = share.node("/docs/report").await.id;
        // Most of the object dies.
        share.write(report, 0, &vec![9; 2 * MIB + MIB / 2]).await;
        share.world.pass(Duration::from_secs(120)).await;
        assert!(share.references("/docs/report").await.iter().any(|reference| reference.object == object));
        assert_eq!(share.world.services.counts()[0].damaged_reads, 0);
        share.world.close().await;
        let share = share.reopened(sealer_of(&(line(1, 0x11) + &line(2, 0x22)))).await;
        share.world.pass(Duration::from_secs(120)).await;
        assert!(share.references("/docs/report").await.iter().all(|reference| reference.object != object));
        assert_clean(&share.check(QUIET).await);
        share.world.close().await;
    });
}

/// A key stands in the share's row before it seals; a row from before there were such is filled in.
#[test]
fn the_row_of_a_share_names_the_keys_in_use() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (first, second) = (sealer_of(&line(1, 0x11)), sealer_of(&(line(1, 0x11) + &line(2, 0x22))));
        let share = Share::closed_with(true, Arc::clone(&first) as _).await;
        let row = async |share: &Share| share.world.metadata.record().await.unwrap();
        let only_first = KeysInUse { in_use: [first.key_id()].into(), are_all: true };
        assert_eq!(row(&share).await.keys, only_first);
        let keys = KeysInUse { are_all: false, ..KeysInUse::default() };
        let old = ShareRecord { keys, ..row(&share).await };
        share.world.metadata.put_record(&old).await.unwrap();
        let share = share.reopened(first).await;
        // The share's time passes while its database writes.
        for _ in 0..10_000 {
            if row(&share).await.keys.are_all {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
            share.world.pass(Duration::from_millis(1)).await;
        }
        assert_eq!(row(&share).await.keys, only_first);
        share.world.close().await;

        let share = share.reopened(Arc::clone(&second) as _).await;
        for path in ["/docs/report", "/small"] {
            let node = share.node(path).await;
            share.write(node.id, 0, &vec![9; node.size as usize]).await;
        }
        share.world.pass(Duration::from_secs(120)).await;
        share.world.close().await;
        let both =
            KeysInUse { in_use: [only_first.in_use.first().copied().unwrap(), second.key_id()].into(), are_all: true };
        assert_eq!(row(&share).await.keys, both);
        // Nothing is sealed with the first any more.
        share.check_offline(crate::share::REPAIR).await;
        let only_second = KeysInUse { in_use: [second.key_id()].into(), are_all: true };
        assert_eq!(row(&share).await.keys, only_second);
    });
}
