//! Metrics of the operations that clients ask for.

use std::collections::BTreeSet;

use dittofs_ports::statistics::{Measure, MeasureKind, OperationCounts, ProtocolCounts};

use crate::watch::exposition::{Exposition, Family, Kind};

pub(super) fn put(out: &mut Exposition, protocols: &[ProtocolCounts]) {
    let operations = || protocols.iter().flat_map(|protocol| &protocol.operations);
    let mut calls = out.counter("dittofs_operations_total", "Replies to client calls, by result.");
    operations().for_each(|operation| put_results(&mut calls, operation));
    let mut durations = out.histogram(
        "dittofs_operation_duration_seconds",
        "Time from the receipt of a call until its reply is passed to the network.",
    );
    for OperationCounts { protocol, procedure, latencies, .. } in operations() {
        if latencies.count() > 0 {
            durations.latencies(&[("protocol", protocol), ("procedure", procedure)], latencies);
        }
    }
    put_connections(out, protocols);
    put_own(out, protocols);
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
    put(out.gauge("dittofs_connections", "Open connections."), |of| of.connections.open);
    put(out.counter("dittofs_connections_accepted_total", "Accepted connections."), |of| of.connections.accepted);
    put(out.counter("dittofs_connections_refused_total", "Connections closed at once: too many."), |of| {
        of.connections.refused
    });
    put(out.counter("dittofs_received_bytes_total", "Bytes received from clients."), |of| {
        of.connections.bytes_received
    });
    put(out.counter("dittofs_sent_bytes_total", "Bytes sent to clients."), |of| of.connections.bytes_sent);
}

/// A metric that several protocols have is one family, as the format demands.
fn put_own(out: &mut Exposition, protocols: &[ProtocolCounts]) {
    let all = || protocols.iter().flat_map(|protocol| protocol.own.iter().map(|own| (protocol.adapter, own)));
    let mut put = BTreeSet::new();
    for (_, Measure { name, help, kind, .. }) in all() {
        if !put.insert(*name) {
            continue;
        }
        let kind = match kind {
            MeasureKind::Counter => Kind::Counter,
            MeasureKind::Gauge => Kind::Gauge,
        };
        let mut family = out.family(kind, format!("dittofs_{name}"), help);
        for (adapter, measure) in all().filter(|(_, other)| other.name == *name) {
            for (value, number) in &measure.samples {
                let label = measure.label.map(|label| (label, *value));
                let labels: Vec<_> = [("adapter", adapter)].into_iter().chain(label).collect();
                family.sample(&labels, number);
            }
        }
    }
}
