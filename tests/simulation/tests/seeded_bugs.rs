//! Every seeded bug is found, by the same seeds that hold without it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use dittofs_simulation::{BUGS, Bug, Options, Tiers, run};

/// Seeds that are tried until a bug is found.
const SEEDS: u64 = 300;
/// The same for one that takes two uploads of one file that arrive the other way round.
const SEEDS_OF_ORDER: u64 = 1_000;

fn is_found(bug: Bug) {
    let seeded = BUGS.iter().find(|seeded| seeded.bug == bug).expect("every bug is in the table");
    let (tiers, seeds) = match bug {
        Bug::RegionsSplit => (Tiers::Mixed, SEEDS_OF_ORDER),
        Bug::CommittedEarly => (Tiers::Stores, SEEDS),
        _ => (Tiers::Mixed, SEEDS),
    };
    let sound = Options { tiers, ..Options::default() };
    let options = Options { bug: Some(bug), ..sound };
    let found = (0..seeds).find_map(|seed| run(seed, &options).err());
    let failure = found.unwrap_or_else(|| panic!("{} is not found: {}", seeded.name, seeded.invariant));
    let sound = run(failure.seed, &sound);
    assert!(sound.is_ok(), "seed {} fails without {}, too: {sound:?}", failure.seed, seeded.name);
    println!("{} breaks \"{}\", found by {failure}", seeded.name, seeded.invariant);
}

macro_rules! found {
    ($($test:ident $bug:ident)*) => {
        $(#[test]
        fn $test() {
            is_found(Bug::$bug);
        })*

        #[test]
        fn every_bug_of_the_table_is_tried() {
            assert_eq!([$(Bug::$bug,)*].len(), BUGS.len());
        }
    };
}

found! {
    a_sync_answered_early_is_found SyncAnsweredEarly
    a_record_released_early_is_found ReleasedEarly
    a_put_answered_early_is_found PutAnsweredEarly
    a_missing_row_taken_for_a_hole_is_found MissingRowIsHole
    a_useless_checksum_is_found ChecksumUseless
    an_object_deleted_too_early_is_found DeletedAtFirstDereference
    a_missing_times_seq_is_found TimesSeqStripped
    a_missing_content_seq_is_found ContentSeqStripped
    missing_exclusions_are_found ExclusionsStripped
    punches_that_are_not_excluded_are_found PunchesNotExcluded
    clones_without_references_are_found CloneUnreferenced
    a_count_made_a_threshold_is_found CountIsThreshold
    stamps_given_again_are_found StampsReused
    ids_given_again_are_found IdsReused
    operations_that_are_forgotten_are_found OperationsForgotten
    a_constant_write_verifier_is_found ConstantVerifier
    keys_that_are_not_noted_are_found KeysNotNoted
    split_regions_are_found RegionsSplit
    a_commit_answered_early_is_found CommittedEarly
}
