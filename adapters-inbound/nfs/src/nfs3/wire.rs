//! The types of NFSv3 as they are on the wire, under the names that RFC 1813 gives them.

// The names are the standard's, and so is the meaning of each field.
#![allow(missing_docs, non_camel_case_types, clippy::upper_case_acronyms)]

mod arguments;
mod attributes;
mod directory;
mod procedure;
mod results;
mod types;

pub use arguments::*;
pub use attributes::*;
pub use directory::*;
pub use procedure::Procedure;
pub use results::*;
pub use types::*;
