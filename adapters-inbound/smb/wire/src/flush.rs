//! FLUSH, MS-SMB2 2.2.17. Its response is an [`crate::empty::EmptyBody`].

use crate::identifiers::FileId;
use crate::layout::fixed_body;

fixed_body! {
    /// A FLUSH request, 2.2.17.
    pub struct FlushRequest(24) {
        reserved 6;
        /// The open whose cached data is written to stable storage.
        pub file_id: FileId,
    }
}
