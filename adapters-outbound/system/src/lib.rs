//! The services of the machine: time, randomness, tasks, and a file for what outlives the process. No other crate asks for
//! them.

mod clock;
mod lock_clients;
mod randomness;
mod spawner;

pub use clock::SystemClock;
pub use lock_clients::LockClientFile;
pub use randomness::SystemRandomness;
pub use spawner::TokioSpawner;
