//! What the machine gives: time, randomness, tasks. The only crate that asks for them.

mod clock;
mod randomness;
mod spawner;

pub use clock::SystemClock;
pub use randomness::SystemRandomness;
pub use spawner::TokioSpawner;
