//! Which scale a run's share has.

use dittofs_domain::Scale;

use crate::random::Random;

/// A choice of scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scales {
    /// That of every share that is served.
    Production,
    /// The smallest: every boundary is near.
    Tiny,
    /// Any: half the runs are tiny, a fifth are as in production, the others have sizes of their own.
    Mixed,
}

impl Scales {
    /// The scale of a seed's run.
    pub(crate) fn pick(self, seed: u64) -> Scale {
        let mut random = Random::stream(seed, 7);
        match self {
            Scales::Production => Scale::PRODUCTION,
            Scales::Tiny => Scale::TINY,
            Scales::Mixed => match random.below(10) {
                0..5 => Scale::TINY,
                5..7 => Scale::PRODUCTION,
                _ => any(&mut random),
            },
        }
    }
}

fn any(random: &mut Random) -> Scale {
    let page_bytes: u32 = random.of(&[1 << 10, 4 << 10, 8 << 10, 32 << 10, 128 << 10]);
    let region_bytes = page_bytes * random.of(&[1, 2, 4, 8]);
    let chunk_bytes = u64::from(region_bytes) * random.of(&[1, 2, 4, 8]);
    let object_bytes = u64::from(region_bytes) * (1 + random.below(5)) + random.below(u64::from(region_bytes));
    let chunk_pages = (chunk_bytes / u64::from(page_bytes)) as u32;
    let page_extents = 4 + random.below(12) as u32;
    let scale = Scale {
        page_bytes,
        region_bytes,
        chunk_bytes,
        object_bytes,
        object_blocks: 1 + random.below(40) as u32,
        page_extents,
        // The references of a whole chunk must fit into one plan.
        plan_steps: (chunk_pages * page_extents * 4).clamp(128, 4_096),
        plan_rows: 2 * (chunk_pages + 1) + random.below(100) as u32,
        segment_bytes: 16 << 10 << random.below(4),
    };
    assert!(scale.is_valid(), "{scale:?}");
    scale
}
