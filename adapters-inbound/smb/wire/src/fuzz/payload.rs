//! Entry points for fuzzing what QUERY_INFO, SET_INFO, QUERY_DIRECTORY and IOCTL carry.

use bytes::Bytes;

use crate::control;
use crate::info::{self, FileName, NameFlaws, Pattern, ea};
use crate::security::{SecurityDescriptor, Sid};

/// A target: its name, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("set_info", set_info),
    ("ea_list", ea_list),
    ("control", control),
    ("security_descriptor", security_descriptor),
    ("sid_text", sid_text),
    ("file_name", file_name),
    ("pattern", pattern),
    #[cfg(any(test, feature = "client"))]
    ("answers", answers),
];

/// A change of a file. The first byte is its class.
pub fn set_info(data: &[u8]) {
    if let Some((class, data)) = data.split_first() {
        let _ = info::set::decode(*class, &Bytes::copy_from_slice(data));
    }
}

/// A list of extended attributes, and of their names. What can be read is written again.
pub fn ea_list(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    if let Ok(attributes) = ea::decode_list(&bytes) {
        assert_eq!(ea::encode_list(&attributes, usize::MAX).map(|encoded| encoded.overflow), Ok(false));
    }
    let _ = ea::decode_names(&bytes);
}

/// Each request of a file system control.
pub fn control(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let _ = control::ValidateNegotiate::decode(&bytes);
    let _ = control::CopyChunk::decode(&bytes).map(|copy| control::CopyChunkLimits::default().allow(&copy));
    let _ = control::DuplicateExtents::decode(&bytes);
    let _ = control::is_set_sparse(data);
    let _ = control::ZeroData::decode(&bytes).map(|zero| zero.is_valid());
    let _ = control::FileRange::decode(&bytes).map(|range| range.is_valid());
    let _ = control::RegionQuery::decode(&bytes);
    let _ = control::Compression::decode(&bytes);
    let _ = control::SetIntegrity::decode(&bytes);
    let _ = control::PipeWait::decode(&bytes);
    let _ = control::DfsReferralRequest::decode(&bytes);
    let _ = control::Resiliency::decode(&bytes);
}

/// A security descriptor. One that can be read can be written, and read again.
pub fn security_descriptor(data: &[u8]) {
    let Ok(descriptor) = SecurityDescriptor::decode(&Bytes::copy_from_slice(data)) else { return };
    if let Ok(encoded) = descriptor.encode() {
        assert_eq!(encoded.len(), descriptor.encoded_length());
        assert!(SecurityDescriptor::decode(&encoded).is_ok());
    }
}

/// A SID as text.
pub fn sid_text(data: &[u8]) {
    if let Ok(sid) = String::from_utf8_lossy(data).parse::<Sid>() {
        assert_eq!(sid.to_string().parse(), Ok(sid));
    }
}

/// A name with a stream.
pub fn file_name(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = NameFlaws::of_component(&text);
    let _ = FileName::parse(&text).map(|name| name.is_named_stream());
}

/// A search pattern and a name, with a newline between them.
pub fn pattern(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (pattern, name) = text.split_once('\n').unwrap_or((&text, ""));
    let fold = |character: char| character.to_ascii_uppercase();
    let _ = Pattern::new(pattern, &fold).map(|pattern| pattern.matches(name, &fold));
}

/// Answers of a server, as a client reads them. The first byte chooses the class.
#[cfg(any(test, feature = "client"))]
pub fn answers(data: &[u8]) {
    use crate::info::{DirectoryClass, FileClass, VolumeClass, changes, directory, file, volume};

    let Some((class, data)) = data.split_first() else { return };
    let bytes = Bytes::copy_from_slice(data);
    let _ = FileClass::from_code(*class).map(|class| file::decode(class, &bytes));
    let _ = DirectoryClass::from_code(*class).map(|class| directory::decode_page(class, &bytes));
    let _ = VolumeClass::from_code(*class).map(|class| volume::decode(class, &bytes));
    let _ = changes::decode_changes(&bytes);
    let _ = control::ValidateNegotiateResponse::decode(&bytes);
    let _ = control::CopyChunkResponse::decode(&bytes);
    let _ = control::decode_interfaces(&bytes);
}

#[cfg(test)]
mod tests;
