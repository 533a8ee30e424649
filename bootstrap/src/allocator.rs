//! The program's allocator.
//!
//! A request makes and drops about ten small allocations: glibc's allocator takes a tenth of a small read's time. And
//! freed memory must go back to the system whichever thread freed it, and however little that thread does afterwards:
//! a pod has a few hundred MiB in all, and a server with hundreds of connections touches them all in turn.

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Read by the allocator at its start. A thread of its own gives memory back that nobody has used for a second; until
/// then it is taken again at no cost. Four arenas are enough for the threads that work at the same time.
#[allow(unsafe_code)]
// No other symbol has this name, and its form is the one that the allocator documents: a string that ends with a zero.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub(crate) static OPTIONS: &[u8; 53] = b"background_thread:true,dirty_decay_ms:1000,narenas:4\0";

#[cfg(test)]
mod tests;
