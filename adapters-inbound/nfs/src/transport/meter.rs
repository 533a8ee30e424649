//! The counts of a front: calls by procedure and result, how long they took, bytes.
//!
//! One thread writes, so that counting is a few plain additions. The clock is read once a receive and once a batch of
//! replies: a call lasts from the receive that brought it until the replies of its batch are handed to the socket.

use std::time::Instant;

use dittofs_domain::counters::{Counter, Latencies};
use dittofs_ports::statistics::OperationCounts;

use crate::rpc::{Operations, Outcome, Programs, Reply, Status};

/// Results that every program can have, after its own.
const RPC_RESULTS: [&str; 7] =
    ["OTHER", "DENIED", "DROPPED", "PROG_UNAVAIL", "PROG_MISMATCH", "PROC_UNAVAIL", "GARBAGE_ARGS"];
const OTHER: usize = 0;
const DENIED: usize = 1;
const DROPPED: usize = 2;
/// Where `accept_stat` 0 would be.
const ACCEPTED: usize = 2;

/// Procedures that a program does not have.
const UNKNOWN: &str = "UNKNOWN";

/// The counts of one front for one server.
#[derive(Debug)]
pub(super) struct FrontCounts {
    programs: Vec<ProgramRows>,
    rows: Vec<Row>,
    pub(super) bytes_received: Counter,
    pub(super) bytes_sent: Counter,
}

#[derive(Debug)]
struct ProgramRows {
    number: u32,
    first: usize,
    procedures: usize,
}

/// A procedure, or all that a program does not have.
#[derive(Debug)]
struct Row {
    operations: Operations,
    procedure: &'static str,
    status: Status,
    results: Vec<Counter>,
    latencies: Latencies,
}

/// Which row a call belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot(u32);

impl FrontCounts {
    pub(super) fn new(programs: &Programs) -> Self {
        let mut counts = Self {
            programs: Vec::new(),
            rows: Vec::new(),
            bytes_received: Counter::default(),
            bytes_sent: Counter::default(),
        };
        counts.push_rows(&Operations::OF_NOBODY);
        for (number, operations) in programs.operations() {
            let (first, procedures) = (counts.rows.len(), operations.procedures.len());
            counts.programs.push(ProgramRows { number, first, procedures });
            counts.push_rows(&operations);
        }
        counts
    }

    fn push_rows(&mut self, operations: &Operations) {
        let known = operations.procedures.iter().map(|procedure| (procedure.name, procedure.status));
        for (procedure, status) in known.chain([(UNKNOWN, Status::None)]) {
            let results = operations.statuses.len() + RPC_RESULTS.len();
            self.rows.push(Row {
                operations: *operations,
                procedure,
                status,
                results: (0..results).map(|_| Counter::default()).collect(),
                latencies: Latencies::default(),
            });
        }
    }

    /// Where calls are counted that name no program.
    pub(super) const NOBODY: Slot = Slot(0);

    #[inline]
    pub(super) fn slot(&self, program: u32, procedure: u32) -> Slot {
        let Some(rows) = self.programs.iter().find(|rows| rows.number == program) else { return Self::NOBODY };
        Slot((rows.first + (procedure as usize).min(rows.procedures)) as u32)
    }

    /// Counts a reply.
    #[inline]
    pub(super) fn count(&self, slot: Slot, reply: &Reply) {
        let Some(row) = self.rows.get(slot.0 as usize) else { return };
        if let Some(result) = row.results.get(row.result_of(reply.outcome())) {
            result.add_alone(1);
        }
    }

    /// Whether a reply could only be given to a client that a share admits: a success of a procedure that has a status.
    fn is_of_a_share(&self, slot: Slot, reply: &Reply) -> bool {
        let status = self.rows.get(slot.0 as usize).map_or(Status::None, |row| row.status);
        status != Status::None && reply.outcome().status(status) == Some(0)
    }

    /// Notes how long calls took whose replies go out now.
    #[inline]
    fn note(&self, finished: &[(Slot, Instant)], now: Instant) {
        for (slot, received) in finished {
            if let Some(row) = self.rows.get(slot.0 as usize) {
                row.latencies.note_alone(now.saturating_duration_since(*received));
            }
        }
    }

    /// Adds all that was counted to what others have.
    pub(super) fn add_to(&self, all: &mut Vec<OperationCounts>) {
        for row in &self.rows {
            let (protocol, procedure) = (row.operations.protocol, row.procedure);
            let same = |known: &&mut OperationCounts| (known.protocol, known.procedure) == (protocol, procedure);
            let latencies = row.latencies.read();
            match all.iter_mut().find(same) {
                Some(known) => {
                    for ((_, count), more) in known.results.iter_mut().zip(&row.results) {
                        *count += more.read();
                    }
                    known.latencies.add(&latencies);
                }
                None => {
                    let names = row.operations.statuses.iter().map(|(_, name)| *name).chain(RPC_RESULTS);
                    let results = names.zip(row.results.iter().map(Counter::read)).collect();
                    all.push(OperationCounts { protocol, procedure, results, latencies });
                }
            }
        }
    }
}

impl Row {
    #[inline]
    fn result_of(&self, outcome: Outcome) -> usize {
        let statuses = self.operations.statuses;
        statuses.len()
            + match outcome {
                Outcome::Accepted { stat: 0, .. } => {
                    let status = if self.status == Status::None { Some(0) } else { outcome.status(self.status) };
                    // Success is first, so that it is found at once.
                    match statuses.iter().position(|(code, _)| Some(*code) == status) {
                        Some(known) => return known,
                        None => OTHER,
                    }
                }
                Outcome::Accepted { stat, .. } => ACCEPTED + (stat as usize).min(RPC_RESULTS.len() - 1 - ACCEPTED),
                Outcome::Denied => DENIED,
                Outcome::Silence => DROPPED,
            }
    }
}

/// A connection's hand in what its front counts.
#[derive(Debug)]
pub(super) struct Meter<'a> {
    counts: &'a FrontCounts,
    /// When the newest bytes came.
    received: Instant,
    /// Calls whose replies have not been handed on yet.
    finished: Vec<(Slot, Instant)>,
}

impl<'a> Meter<'a> {
    pub(super) fn new(counts: &'a FrontCounts) -> Self {
        Self { counts, received: Instant::now(), finished: Vec::new() }
    }

    pub(super) fn received(&mut self, bytes: usize) {
        self.received = Instant::now();
        self.counts.bytes_received.add_alone(bytes as u64);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.counts.bytes_sent.add_alone(bytes as u64);
    }

    /// Notes the beginning of a call. Returns the data to give back when it ends.
    #[inline]
    pub(super) fn begin(&self, program: u32, procedure: u32) -> Begun {
        Begun { slot: self.counts.slot(program, procedure), received: self.received }
    }

    /// Notes a message that belongs to no call.
    pub(super) fn refused(&self) -> Begun {
        Begun { slot: FrontCounts::NOBODY, received: self.received }
    }

    #[inline]
    pub(super) fn end(&mut self, begun: Begun, reply: &Reply) {
        self.counts.count(begun.slot, reply);
        self.finished.push((begun.slot, begun.received));
    }

    /// Whether a reply could only be given to a client that a share admits.
    pub(super) fn is_of_a_share(&self, begun: Begun, reply: &Reply) -> bool {
        self.counts.is_of_a_share(begun.slot, reply)
    }

    /// When the newest bytes came.
    pub(super) fn received_at(&self) -> Instant {
        self.received
    }

    /// The replies of all that ended go out now.
    #[inline]
    pub(super) fn count_finished(&mut self) {
        if !self.finished.is_empty() {
            self.counts.note(&self.finished, Instant::now());
            self.finished.clear();
        }
    }
}

/// A call that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    slot: Slot,
    received: Instant,
}

#[cfg(test)]
mod tests;
