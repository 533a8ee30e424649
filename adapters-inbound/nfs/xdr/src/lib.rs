//! XDR (RFC 4506) without copies: decoding slices one received record, encoding splices payloads.
//!
//! [`Decoder`] is a cursor over one `Bytes`; no read passes its end, whatever a length on the wire says, and opaque data leave
//! it as slices of that same memory. [`Encoder`] gathers a reply as a list of segments, so that a file's bytes go from the cache
//! to the socket untouched. The derives of `dittofs-xdr-derive` write [`Decode`] and [`Encode`] for structs and unions.

#![deny(clippy::indexing_slicing, missing_docs)]
#![cfg_attr(test, allow(clippy::indexing_slicing))]

// The derives name the crate by its path.
#[cfg(test)]
extern crate self as dittofs_xdr;

mod bounded_list;
mod codec;
mod decoder;
mod encoder;
mod error;
mod linked_list;
mod payload;

pub use bounded_list::BoundedList;
pub use codec::{Decode, DecodeMax, Encode};
pub use decoder::Decoder;
pub use dittofs_xdr_derive::{Decode, Encode};
pub use encoder::{Encoded, Encoder, SPLICE_BYTES_MIN, words_of};
pub use error::XdrError;
pub use linked_list::LinkedList;
pub use payload::{OpaqueSlice, Payload};

#[cfg(test)]
mod tests;
