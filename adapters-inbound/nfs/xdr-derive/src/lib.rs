//! Derives `Decode` and `Encode` of `dittofs-xdr`.
//!
//! - A struct is its fields in order.
//! - An enum without data is its discriminants: each variant needs an explicit value (`Low = 1`).
//! - An enum with data is a discriminated union: each variant says `#[xdr(case = 1)]`. One variant may be `#[xdr(default)]`: it holds
//!   the unknown discriminant in a single `u32`, so that a value from a newer peer stays data.
//! - A field of `Bytes` or `Vec<T>` says its longest length with `#[xdr(max = N)]`.

mod attributes;
mod expand;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Derives `dittofs_xdr::Decode`.
#[proc_macro_derive(Decode, attributes(xdr))]
pub fn derive_decode(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::decode(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Derives `dittofs_xdr::Encode`.
#[proc_macro_derive(Encode, attributes(xdr))]
pub fn derive_encode(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::encode(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
