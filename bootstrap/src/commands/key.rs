//! Keys that seal what is in files.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use dittofs_frame_sealer::{FileError, KeyFile, KeyringError};

use crate::config::Config;

/// The advice that `config check` adds. It does not look into the stores.
const FIRST_KEY: &str = "if there never was one, and nothing is sealed, `dittofs key add` with the file's name makes the first; no \
                         other key opens what is sealed";

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
        "the key with the fingerprint {id} is added to {file}, and seals what is written from now on; a running server sees \
         it in seconds"
    )?;
    writeln!(out, "keep a copy of the file elsewhere: without its keys nobody can read what they seal")?;
    Ok(())
}

/// Describes the faults of the key files that a configuration names.
pub(super) fn faults(config: &Config) -> Vec<String> {
    let named: BTreeSet<&PathBuf> = config
        .shares
        .iter()
        .filter_map(|share| share.encryption.as_ref())
        .map(|encryption| &encryption.key_file)
        .collect();
    let fault = |file: &PathBuf| match KeyFile::new(file.clone()).read().err()? {
        error @ (FileError::Missing(_) | FileError::Content { source: KeyringError::Empty, .. }) => {
            Some(format!("{error}; {FIRST_KEY}"))
        }
        error => Some(error.to_string()),
    };
    named.into_iter().filter_map(fault).chain(fault_of_users(config)).collect()
}

/// Describes the fault of the file with the key of users' secrets. The first `dittofs user add` makes one that is not
/// there.
fn fault_of_users(config: &Config) -> Option<String> {
    match KeyFile::new(config.users.key_file.clone()?).read() {
        Ok(_) | Err(FileError::Missing(_)) => None,
        Err(error) => Some(error.to_string()),
    }
}
