//! Keys that seal what is in files.

use std::io::{self, Write};
use std::path::Path;

use dittofs_frame_sealer::{FileError, KeyFile};

use crate::config::Config;

/// Why a command on keys failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("can't print: {0}")]
    Print(#[from] io::Error),
}

/// Adds a random key to a file.
pub(super) fn add(file: &Path, out: &mut dyn Write) -> Result<(), KeyError> {
    let id = KeyFile::new(file.to_owned()).add()?;
    let file = file.display();
    writeln!(
        out,
        "key {id} is added to {file}, and seals what is written from now on; a running server sees it in seconds"
    )?;
    writeln!(out, "keep a copy of the file elsewhere: without its keys nobody can read what they seal")?;
    Ok(())
}

/// Reads the key files that a configuration names.
pub(super) fn check(config: &Config) -> Result<(), FileError> {
    let named = config.shares.iter().filter_map(|share| share.encryption.as_ref());
    named.map(|encryption| KeyFile::new(encryption.key_file.clone())).try_for_each(|file| file.read().map(drop))
}
