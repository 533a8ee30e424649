//! Reading: on the calling thread where no disk has to be waited for, else on a blocking one.

use std::{
    fs::File,
    io::{self, IoSliceMut},
    ops::Range,
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use bytes::{Bytes, BytesMut};
use dittofs_domain::{ObjectId, ShareId};
use dittofs_ports::ContentError;
use rustix::{
    buffer::spare_capacity,
    io::{Errno, ReadWriteFlags, preadv2},
};

use super::{FsStore, handles::Handle};
use crate::error::Fault;

/// Longer ranges are copied on a blocking thread: copying them would hold up the caller's other work for longer than
/// handing them over costs.
const INLINE_BYTES_MAX: u64 = 1 << 20;

impl FsStore {
    pub(crate) async fn get(
        self: &Arc<Self>,
        share: ShareId,
        object: ObjectId,
        range: Range<u64>,
    ) -> Result<Vec<Bytes>, ContentError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let handle = self.handles.find(share, object);
        if let Some(handle) = &handle {
            if range.end > handle.length {
                return Err(ContentError::NotFound);
            }
            if let Some(bytes) = self.read_resident(handle, &range) {
                return Ok(vec![bytes]);
            }
        }
        self.blocking(move |store| {
            let handle = match handle {
                Some(handle) => handle,
                None => store.open_object(share, object)?,
            };
            if range.end > handle.length {
                return Err(ContentError::NotFound);
            }
            let length = usize::try_from(range.end - range.start).map_err(|_| ContentError::NotFound)?;
            let read = read_exactly(&handle.file, range.start, length);
            match read.map_err(|error| Fault::of("read", &store.object_path(share, object))(error))? {
                Some(bytes) => Ok(vec![bytes]),
                None => Err(ContentError::NotFound),
            }
        })
        .await
    }

    /// A range that is in memory already, all of it.
    fn read_resident(&self, handle: &Handle, range: &Range<u64>) -> Option<Bytes> {
        let length = range.end - range.start;
        if length > INLINE_BYTES_MAX || !self.nowait.load(Ordering::Relaxed) {
            return None;
        }
        let mut buffer = BytesMut::zeroed(length as usize);
        let mut slices = [IoSliceMut::new(&mut buffer)];
        match preadv2(&handle.file, &mut slices, range.start, ReadWriteFlags::NOWAIT) {
            Ok(read) if read as u64 == length => Some(buffer.freeze()),
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                self.nowait.store(false, Ordering::Relaxed);
                None
            }
            Ok(_) | Err(_) => None,
        }
    }

    fn open_object(&self, share: ShareId, object: ObjectId) -> Result<Arc<Handle>, ContentError> {
        let path = self.object_path(share, object);
        let before = self.handles.before();
        match open(&path) {
            Ok(handle) => {
                let handle = Arc::new(handle);
                self.handles.keep(share, object, &handle, before);
                Ok(handle)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.check_mark()?;
                Err(ContentError::NotFound)
            }
            Err(error) => Err(Fault::of("opened", &path)(error).into()),
        }
    }
}

fn open(path: &Path) -> io::Result<Handle> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok(Handle { file, length })
}

/// `None` if the file ends before. The memory is not zeroed first.
fn read_exactly(file: &File, mut at: u64, length: usize) -> io::Result<Option<Bytes>> {
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        match rustix::io::pread(file, spare_capacity(&mut bytes), at) {
            Ok(0) => return Ok(None),
            Ok(read) => at += read as u64,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // An allocator may give more room than was asked for.
    bytes.truncate(length);
    Ok(Some(Bytes::from(bytes)))
}
