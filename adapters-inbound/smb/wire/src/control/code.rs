//! Codes of file system controls that clients send (MS-FSCC 2.3, MS-SMB2 2.2.31).

/// Asks for the targets of a DFS path (MS-DFSC 2.2.2).
pub const FSCTL_DFS_GET_REFERRALS: u32 = 0x0006_0194;
/// The same, with the name of a site (MS-DFSC 2.2.3).
pub const FSCTL_DFS_GET_REFERRALS_EX: u32 = 0x0006_01B0;

/// Asks whether a path is well-formed.
pub const FSCTL_IS_PATHNAME_VALID: u32 = 0x0009_002C;
/// Asks for the compression of a file.
pub const FSCTL_GET_COMPRESSION: u32 = 0x0009_003C;
/// Sets the compression of a file.
pub const FSCTL_SET_COMPRESSION: u32 = 0x0009_C040;
/// Asks for counters of the file system.
pub const FSCTL_FILESYSTEM_GET_STATISTICS: u32 = 0x0009_0060;
/// Asks for the layout of an NTFS volume.
pub const FSCTL_GET_NTFS_VOLUME_DATA: u32 = 0x0009_0064;
/// Asks where on the volume the parts of a file are.
pub const FSCTL_GET_RETRIEVAL_POINTERS: u32 = 0x0009_0073;
/// Asks whether the volume needs a check.
pub const FSCTL_IS_VOLUME_DIRTY: u32 = 0x0009_0078;
/// Looks for files of an owner.
pub const FSCTL_FIND_FILES_BY_SID: u32 = 0x0009_008F;
/// Sets the object identifier of a file.
pub const FSCTL_SET_OBJECT_ID: u32 = 0x0009_0098;
/// Asks for the object identifier of a file.
pub const FSCTL_GET_OBJECT_ID: u32 = 0x0009_009C;
/// Removes the object identifier of a file.
pub const FSCTL_DELETE_OBJECT_ID: u32 = 0x0009_00A0;
/// Sets a reparse point, for instance a symbolic link.
pub const FSCTL_SET_REPARSE_POINT: u32 = 0x0009_00A4;
/// Asks for a reparse point.
pub const FSCTL_GET_REPARSE_POINT: u32 = 0x0009_00A8;
/// Removes a reparse point.
pub const FSCTL_DELETE_REPARSE_POINT: u32 = 0x0009_00AC;
/// Sets the extended part of an object identifier.
pub const FSCTL_SET_OBJECT_ID_EXTENDED: u32 = 0x0009_00BC;
/// Asks for the object identifier of a file, which gets one if it has none.
pub const FSCTL_CREATE_OR_GET_OBJECT_ID: u32 = 0x0009_00C0;
/// Makes a file sparse, or not.
pub const FSCTL_SET_SPARSE: u32 = 0x0009_00C4;
/// Writes zeros to a range, or frees it.
pub const FSCTL_SET_ZERO_DATA: u32 = 0x0009_80C8;
/// Asks which parts of a range hold data.
pub const FSCTL_QUERY_ALLOCATED_RANGES: u32 = 0x0009_40CF;
/// Sets the encryption of a file.
pub const FSCTL_SET_ENCRYPTION: u32 = 0x0009_00D7;
/// Asks for the change journal's record of a file.
pub const FSCTL_READ_FILE_USN_DATA: u32 = 0x0009_00EB;
/// Ends a record of the change journal.
pub const FSCTL_WRITE_USN_CLOSE_RECORD: u32 = 0x0009_00EF;
/// Copies a file within a single-instance store.
pub const FSCTL_SIS_COPYFILE: u32 = 0x0009_0100;
/// Fetches a file that is offline.
pub const FSCTL_RECALL_FILE: u32 = 0x0009_0117;
/// Asks for spare sectors of a medium.
pub const FSCTL_QUERY_SPARING_INFO: u32 = 0x0009_0138;
/// Asks for the layout of an UDF volume.
pub const FSCTL_QUERY_ON_DISK_VOLUME_INFO: u32 = 0x0009_013C;
/// Sets how defects of a medium are handled.
pub const FSCTL_SET_DEFECT_MANAGEMENT: u32 = 0x0009_8134;
/// Has storage filled with zeros when the file frees it.
pub const FSCTL_SET_ZERO_ON_DEALLOCATION: u32 = 0x0009_0194;
/// Tells the storage that ranges aren't used.
pub const FSCTL_FILE_LEVEL_TRIM: u32 = 0x0009_8208;
/// Asks where the clusters of a volume start.
pub const FSCTL_GET_RETRIEVAL_POINTER_BASE: u32 = 0x0009_0234;
/// Makes a token for data that the storage copies itself.
pub const FSCTL_OFFLOAD_READ: u32 = 0x0009_4264;
/// Writes the data of such a token.
pub const FSCTL_OFFLOAD_WRITE: u32 = 0x0009_8268;
/// Asks for the integrity checksums of a file.
pub const FSCTL_GET_INTEGRITY_INFORMATION: u32 = 0x0009_027C;
/// Sets the integrity checksums of a file.
pub const FSCTL_SET_INTEGRITY_INFORMATION: u32 = 0x0009_C280;
/// Asks which parts of a file hold valid data.
pub const FSCTL_QUERY_FILE_REGIONS: u32 = 0x0009_0284;
/// Asks for the layout of a ReFS volume.
pub const FSCTL_GET_REFS_VOLUME_DATA: u32 = 0x0009_02D8;
/// Asks whether shared virtual disks are supported (MS-RSVD).
pub const FSCTL_QUERY_SHARED_VIRTUAL_DISK_SUPPORT: u32 = 0x0009_0300;
/// A request to a shared virtual disk (MS-RSVD).
pub const FSCTL_SVHDX_SYNC_TUNNEL_REQUEST: u32 = 0x0009_0304;
/// Makes a range of a file share the blocks of another.
pub const FSCTL_DUPLICATE_EXTENTS_TO_FILE: u32 = 0x0009_8344;
/// Limits the rate of requests (MS-SQOS).
pub const FSCTL_STORAGE_QOS_CONTROL: u32 = 0x0009_0350;
/// The same as [`FSCTL_SET_INTEGRITY_INFORMATION`], with more fields.
pub const FSCTL_SET_INTEGRITY_INFORMATION_EX: u32 = 0x0009_0380;
/// The same as [`FSCTL_DUPLICATE_EXTENTS_TO_FILE`], with flags.
pub const FSCTL_DUPLICATE_EXTENTS_TO_FILE_EX: u32 = 0x0009_83E8;

/// Reads from a pipe without taking it out.
pub const FSCTL_PIPE_PEEK: u32 = 0x0011_400C;
/// Waits for an instance of a pipe.
pub const FSCTL_PIPE_WAIT: u32 = 0x0011_0018;
/// Writes a message to a pipe, and reads the answer.
pub const FSCTL_PIPE_TRANSCEIVE: u32 = 0x0011_C017;

/// Asks for the times of previous versions.
pub const FSCTL_SRV_ENUMERATE_SNAPSHOTS: u32 = 0x0014_4064;
/// Asks for the key of an open, to be the source of a copy.
pub const FSCTL_SRV_REQUEST_RESUME_KEY: u32 = 0x0014_0078;
/// Asks where a file has moved to (MS-DLTW).
pub const FSCTL_LMR_GET_LINK_TRACKING_INFORMATION: u32 = 0x0014_00E8;
/// Tells where a file has moved to (MS-DLTW).
pub const FSCTL_LMR_SET_LINK_TRACKING_INFORMATION: u32 = 0x0014_00EC;
/// Copies on the server, into an open that can be read as well.
pub const FSCTL_SRV_COPYCHUNK: u32 = 0x0014_40F2;
/// Copies on the server, into an open that may be write-only.
pub const FSCTL_SRV_COPYCHUNK_WRITE: u32 = 0x0014_80F2;
/// Asks for hashes of a file (MS-PCCRC).
pub const FSCTL_SRV_READ_HASH: u32 = 0x0014_41BB;
/// Asks that the open outlive a lost connection.
pub const FSCTL_LMR_REQUEST_RESILIENCY: u32 = 0x0014_01D4;
/// Asks for the network interfaces of the server.
pub const FSCTL_QUERY_NETWORK_INTERFACE_INFO: u32 = 0x0014_01FC;
/// Compares what both sides saw of NEGOTIATE.
pub const FSCTL_VALIDATE_NEGOTIATE_INFO: u32 = 0x0014_0204;
