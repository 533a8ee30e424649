//! The dialects of SMB2, MS-SMB2 2.2.3.

use crate::layout::open_integer;

open_integer! {
    /// A dialect's number. The numbers grow with the versions, but for the wildcard.
    #[derive(PartialOrd, Ord)]
    pub struct Dialect(u16) {
        /// SMB 2.0.2.
        SMB_2_0_2 = 0x0202,
        /// SMB 2.1.
        SMB_2_1 = 0x0210,
        /// In the response to an SMB1 NEGOTIATE: the client shall negotiate again, with SMB2.
        SMB_2_WILDCARD = 0x02FF,
        /// SMB 3.0.
        SMB_3_0 = 0x0300,
        /// SMB 3.0.2.
        SMB_3_0_2 = 0x0302,
        /// SMB 3.1.1.
        SMB_3_1_1 = 0x0311,
    }
}
