//! The wire types against those of `nfs3_types`: what one encodes the other decodes, field by field in the same order.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "differential/mount3.rs"]
mod mount3;
#[path = "differential/nfs3.rs"]
mod nfs3;
#[path = "differential/sample.rs"]
mod sample;

use std::fmt::Debug;

use bytes::Bytes;
use dittofs_xdr::{Decode, Decoder, Encode, Encoder};
use nfs3_types::xdr_codec::{Pack, Unpack};

use sample::{Sample, Source};

/// Encodes a random value with ours, decodes it with theirs, encodes it again with theirs, and decodes that with ours. All must agree:
/// the bytes, the value, and the names of the fields in their order, so that two fields of one type can't be swapped.
fn assert_agree<Ours, Theirs>(seed: u64)
where
    Ours: Sample + Encode + Decode + PartialEq + Debug,
    Theirs: Pack + Unpack + Debug,
{
    let ours = Ours::sample(&mut Source::new(seed));
    let mut encoder = Encoder::default();
    ours.encode(&mut encoder);
    let bytes = encoder.finish().to_bytes();

    let (theirs, read) = Theirs::unpack(&mut &bytes[..]).expect("their decoder takes ours");
    assert_eq!(read, bytes.len(), "{ours:?}");
    assert_eq!(fields(&format!("{ours:?}")), fields(&format!("{theirs:?}")));

    let mut again = Vec::new();
    theirs.pack(&mut again).expect("their encoder");
    assert_eq!(again, bytes, "{ours:?}");

    let mut decoder = Decoder::new(Bytes::from(again));
    assert_eq!(decoder.get::<Ours>().as_ref(), Ok(&ours));
    assert_eq!(decoder.finish(), Ok(()));
}

/// The names of the fields in a value's `Debug`, in order.
fn fields(debug: &str) -> Vec<String> {
    let words = debug.split(|character: char| !(character.is_ascii_alphanumeric() || "_:".contains(character)));
    words.filter_map(|word| word.strip_suffix(':')).map(str::to_owned).collect()
}
