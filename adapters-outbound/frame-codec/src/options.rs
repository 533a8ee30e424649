//! The options of the codec.

/// Whether and how frames are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompressionOptions {
    /// The method.
    pub method: CompressionMethod,
    /// Of zstd, from 1 (fast) to 3; each step costs more and saves little more.
    pub level: u8,
}

/// With what frames are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompressionMethod {
    /// Not at all.
    #[default]
    None,
    /// Zstandard.
    Zstd,
}

impl Default for CompressionOptions {
    fn default() -> Self {
        CompressionOptions { method: CompressionMethod::None, level: 1 }
    }
}
