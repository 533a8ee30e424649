//! Bytes that a truncation removed from a file do not come back by way of damage of its row.

use std::sync::atomic::Ordering;

use dittofs_domain::{NodeId, namespace::SetAttributes};
use dittofs_ports::{AdminService, MetadataService};

use super::{KIB, Share, bytes, on_each_store};

impl Share {
    async fn resize(&self, file: NodeId, size: usize) {
        let request = SetAttributes::size(size as u64);
        self.world.share.set_attributes(&self.caller, file, &request, None).await.unwrap();
    }

    /// A file whose row is damaged while it has an unflushed record, half of which a truncation removed.
    async fn truncated_and_damaged(&self) -> NodeId {
        for number in 0..100 {
            let victim = self.create(&format!("victim{number}")).await;
            self.write(victim, 0, &bytes(1, 64 * KIB)).await;
            self.resize(victim, 32 * KIB).await;
            self.resize(victim, 64 * KIB).await;
            self.damage.nodes.lock().insert(victim);
            // A flush may have been faster.
            if self.unflushed() > 0 {
                return victim;
            }
            self.damage.repair();
        }
        panic!("every file was flushed at once");
    }
}

/// Has a record of a file moved while the file's row is damaged, and repairs the row; answers what the file has then.
async fn moved_while_damaged(share: Share) -> (Share, Vec<u8>) {
    let (victim, other) = (share.truncated_and_damaged().await, share.create("other").await);
    share.set_aside().await;
    // Now the record is in no index.
    let share = share.restarted().await;
    for round in 0..4 {
        // Several times what the journal holds: it is moved again and again.
        for _ in 0..40 {
            share.write(other, 0, &bytes(round, 256 * KIB)).await;
        }
    }
    assert_eq!(share.read(other, 0, 256 * KIB).await.unwrap(), bytes(3, 256 * KIB));
    let share = share.restarted().await;
    share.damage.repair();
    let share = share.restarted().await;
    let found = share.read(victim, 0, 64 * KIB).await.unwrap();
    share.until("it is flushed", async |share| share.unflushed() == 0).await;
    share.world.services.flush().await.unwrap();
    assert_eq!(share.read(victim, 0, 64 * KIB).await.unwrap(), found);
    (share, found)
}

#[test]
fn bytes_that_were_cut_off_stay_away_from_records_that_were_moved_while_the_row_was_damaged() {
    on_each_store(async |share: Share| {
        let (share, found) = moved_while_damaged(share).await;
        let mut expected = bytes(1, 64 * KIB);
        expected[32 * KIB..].fill(0);
        assert_eq!(found, expected);
        share.world.close().await;
        assert!(!share.is_dirty().await);
    });
}

#[test]
fn what_is_set_aside_outlives_a_failed_sync_that_loses_the_copy_of_it() {
    on_each_store(async |share: Share| {
        share.damage.loses_a_copy.store(true, Ordering::Relaxed);
        let (share, found) = moved_while_damaged(share).await;
        assert_eq!(share.damage.lost_copies.load(Ordering::Relaxed), 1);
        let mut expected = bytes(1, 64 * KIB);
        expected[32 * KIB..].fill(0);
        assert_eq!(found, expected);
    });
}

/// Or the first test would say nothing.
#[test]
fn copies_under_numbers_of_their_own_bring_back_what_was_cut_off() {
    on_each_store(async |share: Share| {
        share.damage.copies_are_renumbered.store(true, Ordering::Relaxed);
        let (_share, found) = moved_while_damaged(share).await;
        assert_eq!(found, bytes(1, 64 * KIB));
    });
}
