//! What clients ask for.

use dittofs_ports::statistics::{DuplicateCounts, OperationCounts, ProtocolCounts};

use crate::watch::exposition::{Exposition, Family};

pub(super) fn put(out: &mut Exposition, protocols: &[ProtocolCounts]) {
    let operations = || protocols.iter().flat_map(|protocol| &protocol.operations);
    let mut calls = out.counter("dittofs_operations_total", "Replies to calls of clients, by result.");
    operations().for_each(|operation| put_results(&mut calls, operation));
    let mut durations = out.histogram(
        "dittofs_operation_duration_seconds",
        "From the receipt of a call until its reply is handed to the network.",
    );
    for OperationCounts { protocol, procedure, latencies, .. } in operations() {
        if latencies.count() > 0 {
            durations.latencies(&[("protocol", protocol), ("procedure", procedure)], latencies);
        }
    }
    put_connections(out, protocols);
    put_duplicates(out, protocols);
}

/// Success always, so that its rate begins at zero; of all else what has happened.
fn put_results(family: &mut Family<'_>, operation: &OperationCounts) {
    let OperationCounts { protocol, procedure, results, .. } = operation;
    for (number, (result, count)) in results.iter().enumerate() {
        if number == 0 || *count > 0 {
            family.sample(&[("protocol", protocol), ("procedure", procedure), ("result", result)], count);
        }
    }
}

fn put_connections(out: &mut Exposition, protocols: &[ProtocolCounts]) {
    let put = |mut family: Family<'_>, of: fn(&ProtocolCounts) -> u64| {
        for protocol in protocols {
            family.sample(&[("adapter", protocol.adapter)], of(protocol));
        }
    };
    put(out.gauge("dittofs_connections", "Connections that are open now."), |of| of.connections.open);
    put(out.counter("dittofs_connections_accepted_total", "Connections that were accepted."), |of| {
        of.connections.accepted
    });
    put(out.counter("dittofs_connections_refused_total", "Connections that were closed at once: too many."), |of| {
        of.connections.refused
    });
    put(out.counter("dittofs_received_bytes_total", "Bytes that clients have sent."), |of| {
        of.connections.bytes_received
    });
    put(out.counter("dittofs_sent_bytes_total", "Bytes that clients were sent."), |of| of.connections.bytes_sent);
}

fn put_duplicates(out: &mut Exposition, protocols: &[ProtocolCounts]) {
    let known = || protocols.iter().filter_map(|protocol| Some((protocol.adapter, protocol.duplicates?)));
    let mut duplicates = out.counter(
        "dittofs_duplicate_requests_total",
        "Calls that were sent again, by what became of them; untracked: calls that could not be remembered.",
    );
    for (adapter, DuplicateCounts { replayed, dropped, untracked, .. }) in known() {
        for (result, count) in [("replayed", replayed), ("dropped", dropped), ("untracked", untracked)] {
            duplicates.sample(&[("adapter", adapter), ("result", result)], count);
        }
    }
    let mut entries = out.gauge("dittofs_duplicate_request_entries", "Calls that are remembered now.");
    known().for_each(|(adapter, counts)| entries.sample(&[("adapter", adapter)], counts.entries));
    let mut bytes = out.gauge("dittofs_duplicate_request_bytes", "Bytes of replies that are kept for duplicates now.");
    known().for_each(|(adapter, counts)| bytes.sample(&[("adapter", adapter)], counts.bytes));
}
