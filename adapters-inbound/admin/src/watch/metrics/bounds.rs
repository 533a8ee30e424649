//! What all connections hold together.

use dittofs_transport::Bounds;

use crate::watch::exposition::Exposition;

pub(super) fn put(out: &mut Exposition, bounds: &Bounds) {
    let memory = bounds.memory.usage();
    let mut put = |name, help, value| out.gauge(name, help).sample(&[], value);
    put("dittofs_request_memory_bytes", "Bytes of large requests and replies that connections hold now.", memory.taken);
    put("dittofs_request_memory_limit_bytes", "Bytes of them that connections may hold together.", memory.limit);
    put("dittofs_request_memory_waiting", "Connections that wait for room among them now.", memory.waiting);
    let mut displaced =
        out.counter("dittofs_connections_displaced_total", "Idle connections that made room for others.");
    displaced.sample(&[], bounds.connections.displaced());
}
