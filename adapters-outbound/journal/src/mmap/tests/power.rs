//! Power cuts at random.

use std::collections::BTreeMap;

use super::{
    disk::{Dice, Disk},
    *,
};

/// Lives of one journal, each ended by a power cut.
const LIVES: u64 = 6;

/// The records that must be there, by the journal's answers.
#[derive(Default)]
pub(super) struct Oracle {
    given_again: bool,
    records: BTreeMap<u64, Known>,
    highest: u64,
    cuts: u64,
    torn: u64,
    recovered: u64,
    failures: u64,
    last_segment: u64,
}

struct Known {
    at: Appended,
    record: Record,
    synced: bool,
    released: bool,
}

impl Oracle {
    fn check(&mut self, found: Vec<(Appended, Record)>) -> Result<(), String> {
        if !found.is_sorted_by(|(a, _), (b, _)| a.sequence < b.sequence) {
            return Err("records are not in order".to_owned());
        }
        for (at, record) in &found {
            let Some(known) = self.records.get(&at.sequence.0) else {
                return Err(format!("{:?} was never appended", at.sequence));
            };
            if known.record != *record {
                return Err(format!("{:?} is another record", at.sequence));
            }
        }
        let last = found.last().map_or(0, |(at, _)| at.sequence.0);
        let is_there = |number: &u64| found.binary_search_by_key(number, |(at, _)| at.sequence.0).is_ok();
        let mut needed =
            self.records.iter().filter(|(number, known)| !known.released && (known.synced || **number < last));
        if let Some((number, known)) = needed.find(|(number, _)| !is_there(number)) {
            return Err(format!("{number} of {:?} is lost; synced: {}", known.at.place, known.synced));
        }
        self.recovered += found.len() as u64;
        let known =
            |(at, record): (Appended, Record)| (at.sequence.0, Known { at, record, synced: true, released: false });
        self.records = found.into_iter().map(known).collect();
        Ok(())
    }

    fn synced(&mut self, up_to: u64) {
        self.records.range_mut(..=up_to).for_each(|(_, known)| known.synced = true);
    }
}

impl Oracle {
    /// Notes a failed sync. A record that is not lost was moved and is durable; one that is lost may still be found.
    fn sync_failed(&mut self, loss: &SyncLoss) {
        self.failures += 1;
        self.synced(loss.last.0);
        for (_, lost) in &loss.lost {
            self.records.get_mut(&lost.0).unwrap().released = true;
        }
    }
}

fn random_record(dice: &mut Dice) -> Record {
    let (node, seed) = (4 + dice.below(5), dice.below(1 << 20));
    match dice.below(20) {
        0..3 => write(node, seed, 1 + dice.below(40_000) as usize),
        _ => write(node, seed, 1 + dice.below(3_000) as usize),
    }
}

async fn append(journal: &MmapJournal, oracle: &mut Oracle, dice: &mut Dice) -> Result<(), JournalError> {
    let record = random_record(dice);
    let at = match journal.append(record.clone()).await {
        Err(JournalError::Full) => return release(journal, oracle, dice, 1).await,
        answer => answer?,
    };
    oracle.given_again |= at.sequence.0 <= oracle.highest;
    oracle.highest = at.sequence.0;
    oracle.last_segment = at.place.segment;
    oracle.records.insert(at.sequence.0, Known { at, record, synced: false, released: false });
    Ok(())
}

/// Releases old records, and one of `spread` others.
async fn release(journal: &MmapJournal, oracle: &mut Oracle, dice: &mut Dice, spread: u64) -> Result<(), JournalError> {
    let count = 1 + dice.below(oracle.records.len() as u64 + 1) as usize;
    let mut released = Vec::new();
    for known in oracle.records.values_mut().filter(|known| !known.released).take(count) {
        if spread == 1 || dice.below(spread) == 0 {
            known.released = true;
            released.push(known.at);
        }
    }
    journal.release(&released).await
}

/// Uses the journal until the power goes, or it can't be written any more.
async fn live(disk: &Disk, journal: &MmapJournal, oracle: &mut Oracle, dice: &mut Dice) {
    loop {
        if dice.below(600) == 0 {
            disk.fail(|faults| faults.failing_syncs = 1);
        }
        let answer = match dice.below(12) {
            0 | 1 => {
                let up_to = oracle.highest;
                let (synced, appended) = tokio::join!(journal.sync(Sequence(up_to)), append(journal, oracle, dice));
                synced.map(|()| oracle.synced(up_to)).and(appended)
            }
            2 => release(journal, oracle, dice, 3).await,
            3 if dice.below(3) == 0 => release(journal, oracle, dice, 1).await,
            _ => append(journal, oracle, dice).await,
        };
        match answer {
            Ok(()) => {}
            Err(JournalError::SyncFailed(loss)) => oracle.sync_failed(loss.downcast_ref().unwrap()),
            Err(_) => return,
        }
    }
}

pub(super) async fn run(seed: u64, syncs_off: bool, bug: Option<Bug>) -> Result<Oracle, String> {
    let (mut dice, mut oracle, mut disk) = (Dice(seed), Oracle::default(), Disk::new());
    closed(created(&disk).await).await;
    for _ in 0..LIVES {
        let operations = disk.operations() + 1 + dice.below(700);
        disk.fail(|faults| {
            faults.syncs_off = syncs_off;
            faults.power_ends_at = Some(operations);
        });
        if let Ok(journal) = MmapJournal::open(disk.clone(), Some(ID), options()) {
            bug.into_iter().for_each(|bug| journal.shared.bugs.seed(bug));
            match journal.recover(Sequence(0)).await {
                Ok(found) => {
                    oracle.check(found)?;
                    oracle.torn += journal.recovery().torn;
                    live(&disk, &journal, &mut oracle, &mut dice).await;
                    if oracle.given_again {
                        return Err("a number was given again".to_owned());
                    }
                }
                Err(JournalError::Corrupt(damage)) => return Err(damage.to_string()),
                Err(_) => {}
            }
            closed(journal).await;
        }
        disk = disk.after_power_cut(&mut dice);
        oracle.cuts += 1;
    }
    let journal = MmapJournal::open(disk, Some(ID), options()).map_err(|error| error.to_string())?;
    bug.into_iter().for_each(|bug| journal.shared.bugs.seed(bug));
    oracle.check(journal.recover(Sequence(0)).await.map_err(|error| error.to_string())?)?;
    closed(journal).await;
    Ok(oracle)
}

/// `JOURNAL_CUTS` asks for more cuts than a usual run makes.
#[tokio::test]
async fn nothing_that_was_synced_is_lost_when_the_power_goes() {
    let (mut cuts, mut torn, mut recovered, mut failures, mut furthest) = (0, 0, 0, 0, 0);
    let lives: u64 = std::env::var("JOURNAL_CUTS").ok().and_then(|cuts| cuts.parse().ok()).unwrap_or(300);
    for seed in 0..lives.div_ceil(LIVES) {
        let oracle = run(seed, false, None).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        cuts += oracle.cuts;
        torn += oracle.torn;
        recovered += oracle.recovered;
        failures += oracle.failures;
        furthest = furthest.max(oracle.last_segment);
    }
    println!("{cuts} cuts, {recovered} records recovered, {torn} cut off, {failures} failed syncs, segment {furthest}");
    assert!(torn > 0 && recovered > 1_000 && failures > 0, "{torn}, {recovered}, {failures}");
    assert!(furthest > 20, "segments were hardly used again: {furthest}");
}

#[tokio::test]
async fn without_syncs_something_is_lost_when_the_power_goes() {
    let mut lost = 0;
    for seed in 0..10 {
        lost += u32::from(run(seed, true, None).await.is_err());
    }
    assert!(lost >= 5, "{lost} of 10 journals without syncs lost something");
}
