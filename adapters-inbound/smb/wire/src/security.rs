//! Security identifiers, access control lists and security descriptors (MS-DTYP 2.4).

mod ace;
mod acl;
mod descriptor;
mod posix;
mod sid;

pub use ace::{Ace, AceBody, AceFlags, ace_type};
pub use acl::Acl;
pub use descriptor::{Control, SecurityDescriptor, TooLong};
pub use posix::{access_of_permissions, posix_descriptor};
pub use sid::{InvalidSid, SUB_AUTHORITIES_MAX, Sid};
