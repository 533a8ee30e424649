//! Metrics of the resources that all connections hold together.

use dittofs_transport::Bounds;

use crate::watch::exposition::Exposition;

pub(super) fn put(out: &mut Exposition, bounds: &Bounds) {
    let memory = bounds.memory.usage();
    let mut put = |name, help, value| out.gauge(name, help).sample(&[], value);
    put("dittofs_request_memory_bytes", "Bytes of large requests and replies that connections hold.", memory.taken);
    put("dittofs_request_memory_limit_bytes", "Bytes of these that all connections may hold.", memory.limit);
    put("dittofs_request_memory_waiting", "Connections that wait for room in this memory.", memory.waiting);
    let mut displaced =
        out.counter("dittofs_connections_displaced_total", "Idle connections that were closed for others.");
    displaced.sample(&[], bounds.connections.displaced());
}
