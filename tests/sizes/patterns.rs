//! How files are written.

use std::{thread, time::Duration};

use dittofs_tests::model::Random;
use nfs3_types::nfs3::stable_how::{FILE_SYNC, UNSTABLE};

use crate::client::Mirrored;

type Pattern = fn(&mut Mirrored, &mut Random);

/// All, by name.
pub(crate) const PATTERNS: [(&str, Pattern); 5] = [
    ("hole, twice", hole_and_twice),
    ("bursts in place", bursts_in_place),
    ("rsync --inplace", rsync_in_place),
    ("disk of a machine", disk_of_a_machine),
    ("small over large", small_over_large),
];

const MIB: u64 = 1 << 20;
/// From when on what was written is flushed, and a little more.
const FLUSHED: Duration = Duration::from_secs(8);

/// A while in which flushes begin, are under way, or are over.
fn pause(random: &mut Random) {
    thread::sleep(FLUSHED.mul_f64(random.below(100) as f64 / 100.0));
}

/// All but the first MiB, then the same in one burst: regions and objects do not begin where the bytes do.
fn hole_and_twice(file: &mut Mirrored, random: &mut Random) {
    for _ in 0..2 {
        file.write(random, MIB, file.limit() - MIB, UNSTABLE);
        file.commit();
        thread::sleep(FLUSHED);
    }
}

/// The whole file, more than a flush takes at once, and pieces of it again while that is under way.
fn bursts_in_place(file: &mut Mirrored, random: &mut Random) {
    file.write(random, 0, file.limit(), UNSTABLE);
    for _ in 0..4 {
        for _ in 0..1 + random.below(200) {
            let length = 1 + random.below(MIB);
            let offset = random.below(file.limit() - length);
            file.write(random, offset, length, UNSTABLE);
        }
        if random.one_in(2) {
            file.commit();
        }
        pause(random);
    }
}

/// A receiver that reads all of the old file and writes what is new of it, in order, and then its size.
fn rsync_in_place(file: &mut Mirrored, random: &mut Random) {
    const BLOCK: u64 = 128 << 10;
    file.write(random, 0, file.limit(), UNSTABLE);
    file.commit();
    pause(random);
    for _ in 0..2 {
        let mut at = 0;
        while at < file.size() {
            let length = BLOCK.min(file.size() - at);
            file.finish_writes();
            file.compare_range(at, length);
            if random.one_in(8) {
                file.write(random, at, length, UNSTABLE);
            }
            at += length;
        }
        let size = file.limit() - random.below(4 * MIB);
        file.set_size(size);
        file.commit();
        pause(random);
    }
}

/// A sparse image: blocks of 4 to 64 KiB at a few places and everywhere, stable ones among them, and flushes.
fn disk_of_a_machine(file: &mut Mirrored, random: &mut Random) {
    const BLOCK: u64 = 4 << 10;
    file.set_size(file.limit());
    for _ in 0..20 {
        let busy = random.below(file.limit() - 16 * MIB) / BLOCK * BLOCK;
        for _ in 0..200 {
            let length = BLOCK * (1 + random.below(16));
            let place = if random.one_in(4) { 0..file.limit() - length } else { busy..busy + 15 * MIB };
            let offset = (place.start + random.below(place.end - place.start)) / BLOCK * BLOCK;
            let stable = if random.one_in(10) { FILE_SYNC } else { UNSTABLE };
            file.write(random, offset, length, stable);
        }
        file.commit();
        if random.one_in(4) {
            pause(random);
        }
    }
}

/// A log and its headers: the end grows, and some bytes of what is there change with each step.
fn small_over_large(file: &mut Mirrored, random: &mut Random) {
    while file.size() < file.limit() {
        let length = (1 + random.below(8 * MIB)).min(file.limit() - file.size());
        file.write(random, file.size(), length, UNSTABLE);
        for _ in 0..random.below(20) {
            let offset = random.below(file.size());
            let length = (1 + random.below(300)).min(file.size() - offset);
            file.write(random, offset, length, UNSTABLE);
        }
        if random.one_in(20) {
            file.commit();
            pause(random);
        }
    }
}
