//! Where this server runs, for the marks that it leaves beside objects.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use dittofs_application::Machine;
use dittofs_domain::{
    content::checksum,
    ownership::{Holder, Mark},
};

const HOST_NAME: &str = "/proc/sys/kernel/hostname";
/// A number that is drawn at each start of the system.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A data folder that is locked is a seat of its own for as long as the system runs: whoever sat there before has
/// ended. A copy of it is another file, a disk in another machine is under another system; there the lease is waited
/// for.
pub(crate) fn of(data: Option<&Path>, machine: &Machine) -> Holder {
    let seat = data.and_then(seat).unwrap_or_else(|| machine.randomness.bits64());
    Holder {
        host: host(),
        process: std::process::id(),
        folder: data.map_or_else(|| "(none)".to_owned(), |data| data.display().to_string()),
        seat,
    }
}

/// Whether a mark is of somebody who may live: not of whoever sat last on the seat of this data folder, which the
/// caller has locked.
pub(crate) fn may_live(mark: &Mark, data: Option<&Path>) -> bool {
    !mark.is_released() && mark.start.is_some() && data.and_then(seat) != Some(mark.holder.seat)
}

fn host() -> String {
    fs::read_to_string(HOST_NAME).map_or_else(|_| "a machine without a name".to_owned(), |name| name.trim().to_owned())
}

fn seat(data: &Path) -> Option<u64> {
    let boot = fs::read_to_string(BOOT_ID).ok()?;
    let folder = fs::metadata(data).ok()?;
    Some(checksum(format!("{} {} {}", boot.trim(), folder.dev(), folder.ino()).as_bytes()))
}

#[cfg(test)]
mod tests;
