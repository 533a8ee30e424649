//! Which tier a run's share has.

use dittofs_application::Tier;

use crate::random::Random;

/// A choice of tiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tiers {
    /// Every third share keeps no journal.
    #[default]
    Mixed,
    /// Each keeps one.
    Journal,
    /// None does.
    Stores,
}

impl Tiers {
    /// The tier of a seed's run.
    pub(crate) fn pick(self, seed: u64) -> Tier {
        let mut random = Random::stream(seed, 9);
        let stores = Tier::Stores { inline_bytes_max: random.of(&[0, 600, 16_384, 16_384]) };
        let has_journal = match self {
            Tiers::Mixed => random.percent(67),
            Tiers::Journal => true,
            Tiers::Stores => false,
        };
        if has_journal { Tier::Journal } else { stores }
    }
}
