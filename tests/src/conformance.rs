//! Conformance suites: what a port's documentation promises, checked on every adapter.
//!
//! A case is a function over a factory. One line a suite and adapter, in `tests/conformance_*.rs`, stamps all cases of
//! the suite as tests of their own:
//!
//! ```text
//! content_conformance!(memory, async || Arc::new(MemoryContentStore::new()) as Arc<dyn ContentStore>);
//! ```
//!
//! The expression is evaluated once a test, and the factory opens *the same* store whenever it is called: a store that
//! claims to survive the end of the process is opened again by some cases, after everything of the first one was
//! dropped. What a suite demands depends on nothing else but on what the adapter says that it survives.

pub mod block_cache;
pub mod content;
pub mod disk_cache;
pub mod journal;
pub mod metadata;
pub mod open_state;
mod payload;
pub mod users;

/// Makes a test of each case of a suite.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($suite:ident, $open:expr; $($case:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::conformance::$suite::$case($open).await;
            }
        )*
    };
}
