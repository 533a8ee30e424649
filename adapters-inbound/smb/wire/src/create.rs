//! CREATE, MS-SMB2 2.2.13 and 2.2.14.

pub use context::{ContextName, CreateContext, CreateContexts};
pub use lease::{Lease, LeaseFlags, LeaseState, LeaseVersion2};
pub use options::{CreateAction, CreateDisposition, CreateOptions, ImpersonationLevel, OplockLevel};
pub use request::CreateRequest;
pub use request_context::{DurableFlags, RequestContext};
pub use response::{CreateResponse, CreateResponseFlags};
pub use response_context::ResponseContext;

mod context;
mod lease;
mod options;
mod request;
mod request_context;
mod response;
mod response_context;
