//! The requests by command: how they ended, how long they took, and how many are being carried out.

use std::{sync::Arc, time::Instant};

use dittofs_domain::counters::{Counter, Latencies};
use dittofs_ports::statistics::OperationCounts;
use dittofs_smb_wire::{Command, NtStatus};

/// The name of the requests in metrics.
const PROTOCOL: &str = "smb";
/// Commands that there are not.
const UNKNOWN: &str = "UNKNOWN";
/// Success is called as in other protocols, so that one query finds all that failed.
const OK: &str = "OK";
/// Statuses that have no name.
const OTHER: &str = "OTHER";

/// The counts of requests of some connections.
#[derive(Debug)]
pub(crate) struct CommandCounts(Vec<Row>);

/// A command, or all that are unknown.
#[derive(Debug)]
struct Row {
    /// By status, in the order of [`NtStatus::NAMED`]; one more for the others.
    results: Vec<Counter>,
    latencies: Latencies,
    begun: Counter,
    ended: Counter,
}

impl Default for CommandCounts {
    fn default() -> Self {
        let row = |_| Row {
            results: (0..=NtStatus::NAMED.len()).map(|_| Counter::default()).collect(),
            latencies: Latencies::default(),
            begun: Counter::default(),
            ended: Counter::default(),
        };
        CommandCounts((0..=Command::NAMED.len()).map(row).collect())
    }
}

impl CommandCounts {
    fn row(&self, command: Command) -> Option<&Row> {
        let known = Command::NAMED.iter().position(|(known, _)| *known == command);
        self.0.get(known.unwrap_or(Command::NAMED.len()))
    }
}

impl Row {
    fn count(&self, status: NtStatus) {
        // Success is first, so that it is found at once.
        let known = NtStatus::NAMED.iter().position(|(known, _)| *known == status);
        if let Some(result) = self.results.get(known.unwrap_or(NtStatus::NAMED.len())) {
            result.count();
        }
    }
}

/// The requests of a frame, from their receipt until their answers are passed to the network, or there won't be any.
#[derive(Debug)]
pub(crate) struct Requests {
    counts: Arc<CommandCounts>,
    received: Instant,
    commands: Vec<Command>,
    /// How many of them are answered.
    answered: usize,
}

impl Requests {
    /// Requests that have just been received. CANCEL is counted at once, as it has no answer.
    pub(crate) fn new(counts: &Arc<CommandCounts>, commands: impl IntoIterator<Item = Command>) -> Requests {
        let is_answered = |command: &Command| {
            if let Some(row) = counts.row(*command).filter(|_| *command == Command::CANCEL) {
                row.count(NtStatus::SUCCESS);
            }
            *command != Command::CANCEL
        };
        let commands: Vec<Command> = commands.into_iter().filter(is_answered).collect();
        for row in commands.iter().filter_map(|command| counts.row(*command)) {
            row.begun.count();
        }
        Requests { counts: Arc::clone(counts), received: Instant::now(), commands, answered: 0 }
    }

    /// The next one has been answered so.
    pub(crate) fn answered(&mut self, status: NtStatus) {
        if let Some(row) = self.commands.get(self.answered).and_then(|command| self.counts.row(*command)) {
            row.count(status);
            self.answered += 1;
        }
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        let took = self.received.elapsed();
        for (number, command) in self.commands.iter().enumerate() {
            let Some(row) = self.counts.row(*command) else { continue };
            if number < self.answered {
                row.latencies.note(took);
            }
            row.ended.count();
        }
    }
}

/// The counts of all fronts together: by command, and how many requests are in flight.
pub(super) fn sum(fronts: &[Arc<CommandCounts>]) -> (Vec<OperationCounts>, Vec<(&'static str, u64)>) {
    let names = Command::NAMED.iter().map(|(_, name)| *name).chain([UNKNOWN]);
    let results = NtStatus::NAMED.iter().map(|(status, name)| if *status == NtStatus::SUCCESS { OK } else { *name });
    let results: Vec<&'static str> = results.chain([OTHER]).collect();
    let (mut operations, mut in_flight) = (Vec::new(), Vec::new());
    for (number, procedure) in names.enumerate() {
        let mut counts = OperationCounts {
            protocol: PROTOCOL,
            procedure,
            results: results.iter().map(|name| (*name, 0)).collect(),
            latencies: Latencies::default().read(),
        };
        let mut running = 0;
        for row in fronts.iter().filter_map(|front| front.0.get(number)) {
            for ((_, count), more) in counts.results.iter_mut().zip(&row.results) {
                *count += more.read();
            }
            counts.latencies.add(&row.latencies.read());
            // Read first, so that none has ended that had not begun.
            let ended = row.ended.read();
            running += row.begun.read().saturating_sub(ended);
        }
        operations.push(counts);
        in_flight.push((procedure, running));
    }
    (operations, in_flight)
}

#[cfg(test)]
mod tests;
