//! The time of a step, by tenths of its entries.

use std::time::{Duration, Instant};

const TENTHS: usize = 10;
/// How much slower the end may be than the start.
const RATIO_MAX: f64 = 3.0;

/// A clock that is read as entries are done.
pub struct Tenths {
    total: usize,
    done: usize,
    read: Instant,
    spent: [(Duration, usize); TENTHS],
}

impl Tenths {
    /// Begins a step of so many entries.
    pub fn begin(total: usize) -> Tenths {
        Tenths { total: total.max(1), done: 0, read: Instant::now(), spent: [(Duration::ZERO, 0); TENTHS] }
    }

    /// So many more entries are done. They count for the tenth in which they began.
    pub fn done(&mut self, entries: usize) {
        let now = Instant::now();
        let tenth = (self.done * TENTHS / self.total).min(TENTHS - 1);
        self.spent[tenth].0 += now - self.read;
        self.spent[tenth].1 += entries;
        self.done += entries;
        self.read = now;
    }

    /// Prints the step; tells whether it was even.
    pub fn print(&self, step: &str) -> bool {
        let each: Vec<f64> = self.spent.iter().filter(|(_, entries)| *entries > 0).map(micros_each).collect();
        let words: Vec<String> = each.iter().map(|each| format!("{each:6.2}")).collect();
        let ratio = each.last().unwrap() / each.first().unwrap();
        println!("{step:<22} {:>9} {} {ratio:>6.2}", self.done, words.join(" "));
        ratio <= RATIO_MAX
    }
}

fn micros_each((spent, entries): &(Duration, usize)) -> f64 {
    spent.as_secs_f64() * 1e6 / *entries as f64
}
