//! Return values of the calls: Win32 error codes (MS-ERREF 2.2) and network management codes (MS-SRVS 2.2.2.10).

pub(crate) const ERROR_SUCCESS: u32 = 0;
pub(crate) const ERROR_ACCESS_DENIED: u32 = 5;
pub(crate) const ERROR_INVALID_LEVEL: u32 = 124;
pub(crate) const ERROR_MORE_DATA: u32 = 234;
pub(crate) const NERR_NET_NAME_NOT_FOUND: u32 = 2310;

/// The platform of a Windows NT server (MS-SRVS 2.2.2.6), the one that all file servers name.
pub(crate) const PLATFORM_ID_NT: u32 = 500;
