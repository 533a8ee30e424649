//! What can be configured.

use serde::{Deserialize, Deserializer, de::Error};

/// Whether and how frames are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompressionOptions {
    /// With what.
    pub method: CompressionMethod,
    /// Of zstd, from 1 (fast) to 3; each step costs more and saves little more.
    #[serde(deserialize_with = "level")]
    pub level: u8,
}

/// With what frames are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
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

fn level<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    match u8::deserialize(from)? {
        level @ 1..=3 => Ok(level),
        level => Err(D::Error::custom(format_args!("level {level}: the levels are 1, 2 and 3"))),
    }
}
