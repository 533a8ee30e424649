//! The time of a step, by tenths of its entries.

use std::time::{Duration, Instant};

use dittofs_tests::server::Server;

const TENTHS: usize = 10;
/// How much slower the end may be than the start.
const RATIO_MAX: f64 = 3.0;

/// The processor time that the server must use in a tenth for its figure to mean anything.
const TICKS_MIN: u64 = 10;
const TICK_MICROS: f64 = 10_000.0;

/// A clock that is read as entries are done.
pub(crate) struct Tenths<'s> {
    server: &'s Server,
    total: usize,
    done: usize,
    read: Instant,
    ticks_read: u64,
    spent: [Spent; TENTHS],
}

#[derive(Default)]
struct Spent {
    /// The duration of each batch, and its entries.
    batches: Vec<(Duration, usize)>,
    /// The processor time that the server used.
    ticks: u64,
}

impl<'s> Tenths<'s> {
    /// Begins a step of so many entries.
    pub(crate) fn begin(server: &'s Server, total: usize) -> Tenths<'s> {
        let ticks_read = server.processor_ticks();
        Tenths { server, total: total.max(1), done: 0, read: Instant::now(), ticks_read, spent: Default::default() }
    }

    /// So many more entries are done. They count for the tenth in which they began.
    pub(crate) fn done(&mut self, entries: usize) {
        let now = Instant::now();
        let tenth = self.tenth();
        self.spent[tenth].batches.push((now - self.read, entries));
        self.done += entries;
        self.read = now;
        if self.tenth() != tenth || self.done == self.total {
            let ticks = self.server.processor_ticks();
            self.spent[tenth].ticks += ticks - self.ticks_read;
            self.ticks_read = ticks;
        }
    }

    fn tenth(&self) -> usize {
        (self.done % self.total * TENTHS / self.total).min(TENTHS - 1)
    }

    /// Prints the mean time per entry, and the server's processor time; answers whether they stayed about the same.
    ///
    /// They did not where the mean, the median and the processor time all grew: another process on the machine lets
    /// single batches wait, or all of them, but does not make the server work more.
    pub(crate) fn print(&self, step: &str) -> bool {
        let spent: Vec<&Spent> = self.spent.iter().filter(|spent| !spent.batches.is_empty()).collect();
        let means: Vec<f64> = spent.iter().map(|spent| mean(&spent.batches)).collect();
        let processor: Vec<f64> = spent.iter().map(|spent| spent.processor_micros()).collect();
        print_row(step, self.done, &means);
        let (first, last) = (spent[0], spent[spent.len() - 1]);
        let is_measured = first.ticks.max(last.ticks) >= TICKS_MIN;
        if is_measured {
            print_row("    server's processor", self.done, &processor);
        }
        let grew = |first: f64, last: f64| last > first * RATIO_MAX;
        let time_grew = grew(mean(&first.batches), mean(&last.batches));
        let median_grew = grew(median(&first.batches), median(&last.batches));
        let work_grew = !is_measured || grew(first.processor_micros(), last.processor_micros());
        !(time_grew && median_grew && work_grew)
    }
}

impl Spent {
    fn processor_micros(&self) -> f64 {
        let entries: usize = self.batches.iter().map(|(_, entries)| entries).sum();
        self.ticks as f64 * TICK_MICROS / entries as f64
    }
}

fn print_row(what: &str, entries: usize, each: &[f64]) {
    let words: Vec<String> = each.iter().map(|each| format!("{each:6.2}")).collect();
    let ratio = each[each.len() - 1] / each[0];
    println!("{what:<22} {entries:>9} {} {ratio:>10.2}", words.join(" "));
}

fn mean(batches: &[(Duration, usize)]) -> f64 {
    let spent: Duration = batches.iter().map(|(spent, _)| *spent).sum();
    let entries: usize = batches.iter().map(|(_, entries)| entries).sum();
    spent.as_secs_f64() * 1e6 / entries as f64
}

fn median(batches: &[(Duration, usize)]) -> f64 {
    let mut each: Vec<f64> = batches.iter().map(|batch| mean(std::slice::from_ref(batch))).collect();
    each.sort_unstable_by(f64::total_cmp);
    each[each.len() / 2]
}
