//! The services of the machine: time, randomness, tasks. No other crate asks for them.

mod clock;
mod randomness;
mod spawner;

pub use clock::SystemClock;
pub use randomness::SystemRandomness;
pub use spawner::TokioSpawner;
