//! How what is in the files of a share is encrypted.

use std::path::{Path, PathBuf};

use figment::value::Value;

use super::folders::Folders;
use super::section::Section;

/// Encryption of what goes to the content store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptionConfig {
    /// The file with the keys, absolute.
    pub key_file: PathBuf,
    /// Whether what is new is sealed; what is sealed already is read in any case.
    pub seal: bool,
}

/// Reads the section `encryption` of a share; none where it is absent.
pub(super) fn read(share: &mut Section<'_>, folders: &Folders<'_>) -> Option<EncryptionConfig> {
    let value = share.take("encryption")?;
    let is_mapping = matches!(value, Value::Dict(..));
    let mut section = Section::from_value(share.key("encryption"), value, share.report());
    if is_mapping && !section.has("key_file") {
        let fix = "name a file with keys; `dittofs key add FILE` makes one";
        section.refuse("key_file", "is missing", fix);
    }
    let written = section.take_text("key_file");
    let key_file = written.and_then(|written| folders.file(&section.key("key_file"), Path::new(&written)));
    let seal = section.take_flag("seal").unwrap_or(true);
    section.finish();
    Some(EncryptionConfig { key_file: key_file?, seal })
}
