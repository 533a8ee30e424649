//! Each bug that can be seeded is found.

use super::{
    super::{format::Headed, prepare::read_head, scan::scan},
    disk::Disk,
    *,
};

/// Lives of power cuts that are tried until a bug is found.
const SEEDS: u64 = 1_000;

/// Whether power cuts at random show a bug.
async fn is_found_by_power_cuts(bug: Bug) -> bool {
    for seed in 0..SEEDS {
        // A broken rule may also show as a panic.
        match tokio::spawn(power::run(seed, false, Some(bug))).await {
            Ok(Ok(_)) => {}
            found => {
                println!("{bug:?} is found by seed {seed}: {:?}", found.map(|found| found.map(drop)));
                return true;
            }
        }
    }
    false
}

#[tokio::test]
async fn accepted_stale_bytes_are_found() {
    assert!(is_found_by_power_cuts(Bug::StaleBytesAccepted).await);
}

#[tokio::test]
async fn records_taken_out_of_turn_are_found() {
    assert!(is_found_by_power_cuts(Bug::AnyNumberTaken).await);
}

#[tokio::test]
async fn an_incarnation_that_is_not_raised_is_found() {
    assert!(is_found_by_power_cuts(Bug::IncarnationKept).await);
}

#[tokio::test]
async fn numbers_given_again_are_found() {
    assert!(is_found_by_power_cuts(Bug::NumbersGivenAgain).await);
}

/// Records that pass their checksums in a segment that was used again, and that were written in its earlier use.
async fn stale_records(bug: Option<Bug>) -> usize {
    let disk = Disk::new();
    let journal = MmapJournal::create(disk.clone(), ID, Sequence(0), options()).unwrap();
    bug.into_iter().for_each(|bug| journal.shared.bugs.seed(bug));
    journal.recover(Sequence(0)).await.unwrap();
    let mut last_of_segment = std::collections::BTreeMap::new();
    for seed in 0.. {
        let at = journal.append(write(4, seed, 900)).await.unwrap();
        journal.sync(at.sequence).await.unwrap();
        journal.release(&[at]).await.unwrap();
        last_of_segment.insert(at.place.segment, at.sequence.0);
        if at.place.segment > 20 {
            break;
        }
    }
    wait_until_idle(&journal).await;
    let mut stale = 0;
    for name in disk.names().unwrap() {
        let Some(_) = slot::Slot::index(&name) else { continue };
        let slot = slot::Slot::open(&journal.shared.folder, &name).unwrap();
        let Headed::Head(head) = read_head(&slot, ID).unwrap() else { continue };
        let before = last_of_segment.range(..head.number).next_back().map_or(0, |(_, last)| *last);
        let found = scan(&slot, journal.shared.seed(&head), false, &mut Vec::new()).unwrap();
        stale += found.iter().filter(|found| found.head.sequence <= before).count();
    }
    closed(journal).await;
    stale
}

/// Numbers alone keep such records out of the log, as the power cuts show; checksums are to do it too.
#[tokio::test]
async fn what_an_earlier_use_of_a_segment_left_never_passes() {
    assert_eq!(stale_records(None).await, 0);
    assert!(stale_records(Some(Bug::SeedIsJournalOnly)).await > 100);
}
