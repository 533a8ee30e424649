use bytes::Bytes;
use dittofs_xdr::{LinkedList, Payload};

/// A small seeded generator (SplitMix64).
pub(crate) struct Source(u64);

impl Source {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Bytes that aren't ASCII, so that they can't be taken for a field's name in `Debug`.
    pub(crate) fn bytes(&mut self, longest: u64) -> Vec<u8> {
        (0..self.below(longest + 1)).map(|_| 0x80 | self.next() as u8).collect()
    }
}

/// A type of which a random value can be made.
pub(crate) trait Sample {
    fn sample(source: &mut Source) -> Self;
}

impl Sample for u32 {
    fn sample(source: &mut Source) -> Self {
        source.next() as Self
    }
}

impl Sample for u64 {
    fn sample(source: &mut Source) -> Self {
        source.next()
    }
}

impl Sample for bool {
    fn sample(source: &mut Source) -> Self {
        source.below(2) == 1
    }
}

impl Sample for () {
    fn sample(_: &mut Source) -> Self {}
}

impl Sample for [u8; 8] {
    fn sample(source: &mut Source) -> Self {
        source.next().to_ne_bytes()
    }
}

impl Sample for Bytes {
    fn sample(source: &mut Source) -> Self {
        source.bytes(300).into()
    }
}

impl Sample for Payload {
    fn sample(source: &mut Source) -> Self {
        Self((0..source.below(4)).map(|_| Bytes::from(source.bytes(3000))).collect())
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(source: &mut Source) -> Self {
        bool::sample(source).then(|| T::sample(source))
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(source: &mut Source) -> Self {
        (0..source.below(5)).map(|_| T::sample(source)).collect()
    }
}

impl<T: Sample> Sample for LinkedList<T> {
    fn sample(source: &mut Source) -> Self {
        Self(Sample::sample(source))
    }
}

/// Samples a struct by its fields.
macro_rules! sample_struct {
    ($($type:ty { $($field:ident),* $(,)? })*) => {$(
        impl Sample for $type {
            fn sample(source: &mut Source) -> Self {
                Self { $($field: Sample::sample(source)),* }
            }
        }
    )*};
}

/// Samples an enum by its variants.
macro_rules! sample_enum {
    ($($type:ty { $($variant:expr),* $(,)? })*) => {$(
        impl Sample for $type {
            fn sample(source: &mut Source) -> Self {
                let variants: &[fn(&mut Source) -> Self] = &[$($variant),*];
                variants[source.below(variants.len() as u64) as usize](source)
            }
        }
    )*};
}

pub(crate) use {sample_enum, sample_struct};
