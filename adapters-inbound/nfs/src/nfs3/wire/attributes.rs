use dittofs_xdr::{Decode, Encode, Encoder, words_of};

use super::nfs_fh3;

/// The type of a file (section 2.3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Decode, Encode)]
pub enum ftype3 {
    NF3REG = 1,
    NF3DIR = 2,
    NF3BLK = 3,
    NF3CHR = 4,
    NF3LNK = 5,
    NF3SOCK = 6,
    NF3FIFO = 7,
}

/// The major and minor number of a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Decode, Encode)]
pub struct specdata3 {
    pub specdata1: u32,
    pub specdata2: u32,
}

/// A time since 1970 began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Decode, Encode)]
pub struct nfstime3 {
    pub seconds: u32,
    pub nseconds: u32,
}

/// The attributes of a file (section 2.3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Decode)]
pub struct fattr3 {
    pub type_: ftype3,
    pub mode: u32,
    pub nlink: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub used: u64,
    pub rdev: specdata3,
    pub fsid: u64,
    pub fileid: u64,
    pub atime: nfstime3,
    pub mtime: nfstime3,
    pub ctime: nfstime3,
}

impl fattr3 {
    #[inline]
    fn words(&self) -> [u32; 21] {
        let [size_high, size_low] = words_of(self.size);
        let [used_high, used_low] = words_of(self.used);
        let [fsid_high, fsid_low] = words_of(self.fsid);
        let [fileid_high, fileid_low] = words_of(self.fileid);
        [
            self.type_ as u32,
            self.mode,
            self.nlink,
            self.uid,
            self.gid,
            size_high,
            size_low,
            used_high,
            used_low,
            self.rdev.specdata1,
            self.rdev.specdata2,
            fsid_high,
            fsid_low,
            fileid_high,
            fileid_low,
            self.atime.seconds,
            self.atime.nseconds,
            self.mtime.seconds,
            self.mtime.nseconds,
            self.ctime.seconds,
            self.ctime.nseconds,
        ]
    }
}

impl Encode for fattr3 {
    #[inline]
    fn encode(&self, encoder: &mut Encoder) {
        encoder.put_words(self.words());
    }
}

/// Attributes after an operation; always present if at all possible (section 2.3.8).
pub type post_op_attr = Option<fattr3>;

/// The handle of what was made.
pub type post_op_fh3 = Option<nfs_fh3>;

/// The attributes before an operation that show a client whether its cache is still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Decode)]
pub struct wcc_attr {
    pub size: u64,
    pub mtime: nfstime3,
    pub ctime: nfstime3,
}

impl Encode for wcc_attr {
    #[inline]
    fn encode(&self, encoder: &mut Encoder) {
        let [size_high, size_low] = words_of(self.size);
        encoder.put_words([
            size_high,
            size_low,
            self.mtime.seconds,
            self.mtime.nseconds,
            self.ctime.seconds,
            self.ctime.nseconds,
        ]);
    }
}

/// Weak cache consistency: attributes from the same transaction as the change, or none (section 2.3.8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Decode, Encode)]
pub struct wcc_data {
    pub before: Option<wcc_attr>,
    pub after: post_op_attr,
}

/// The change of a time (section 2.3.9, `set_atime` and `set_mtime`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Decode, Encode)]
pub enum set_time {
    #[default]
    #[xdr(case = 0)]
    DONT_CHANGE,
    #[xdr(case = 1)]
    SET_TO_SERVER_TIME,
    #[xdr(case = 2)]
    SET_TO_CLIENT_TIME(nfstime3),
}

/// The attributes that a client sets (section 2.3.9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Decode, Encode)]
pub struct sattr3 {
    pub mode: Option<u32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub size: Option<u64>,
    pub atime: set_time,
    pub mtime: set_time,
}
