//! Listing, folder by folder: first bytes in order, then names in order.

use std::{io, path::Path, sync::Arc};

use dittofs_domain::{ObjectId, ShareId};
use dittofs_ports::ContentError;

use super::FsStore;
use crate::{
    error::Fault,
    layout::{first_byte, object_name, object_of},
};

impl FsStore {
    pub(crate) async fn list(
        self: &Arc<Self>,
        share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError> {
        self.blocking(move |store| store.list_now(share, after, max)).await
    }

    fn list_now(
        &self,
        share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError> {
        // An empty folder where a disk should be mounted is not an empty store.
        self.check_mark()?;
        let mut listed = Vec::new();
        for first in after.map_or(0, first_byte)..=u8::MAX {
            let folder = self.folder(share, first);
            for object in objects_in(&folder, first, after)? {
                if listed.len() == max {
                    return Ok(listed);
                }
                let path = folder.join(object_name(object));
                match std::fs::metadata(&path) {
                    Ok(found) => listed.push((object, found.len())),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(Fault::of("looked up", &path)(error).into()),
                }
            }
        }
        Ok(listed)
    }
}

/// Objects in a folder behind `after`, in order. A 256th of a share's objects is held in memory.
fn objects_in(folder: &Path, first: u8, after: Option<ObjectId>) -> Result<Vec<ObjectId>, Fault> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Fault::of("listed", folder))?,
    };
    let mut objects = Vec::new();
    for entry in entries {
        let name = entry.map_err(Fault::of("listed", folder))?.file_name();
        let object = name.to_str().and_then(object_of).filter(|object| first_byte(*object) == first);
        objects.extend(object.filter(|object| after.is_none_or(|after| *object > after)));
    }
    objects.sort_unstable();
    Ok(objects)
}
