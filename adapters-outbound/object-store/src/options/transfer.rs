//! How bytes are moved to and from a store behind a network, the same for every scheme; and secrets.

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected},
};

/// How bytes are moved to and from a store behind a network.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransferOptions {
    /// A request is given up when no byte of it has moved for so long.
    pub timeout_seconds: u64,
    /// How often a request that failed is sent again, at growing intervals.
    pub retries: usize,
    /// Intervals between the tries grow up to this.
    pub retry_delay_seconds_max: u64,
    /// Requests at once, of all kinds.
    pub requests: usize,
    /// Uploads at once, over all shares; fewer where more don't make it faster, or the store asks for fewer.
    pub uploads: usize,
    /// Uploads of one share at once.
    pub share_uploads: usize,
    /// Objects of more bytes go up in parts.
    #[serde(deserialize_with = "size")]
    pub multipart_above: u64,
    /// Bytes of a part.
    #[serde(deserialize_with = "size")]
    pub part_size: u64,
}

/// The least that S3 takes for a part which is not the last one.
const PART_BYTES_MIN: u64 = 5 << 20;
/// The most bytes of a part: a part that failed is sent again as a whole.
const PART_BYTES_MAX: u64 = 1 << 30;

impl Default for TransferOptions {
    fn default() -> TransferOptions {
        TransferOptions {
            timeout_seconds: 20,
            retries: 4,
            retry_delay_seconds_max: 5,
            requests: 128,
            uploads: 32,
            share_uploads: 16,
            multipart_above: 16 << 20,
            part_size: 8 << 20,
        }
    }
}

impl TransferOptions {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.max(1))
    }

    pub(crate) fn retry_delay_max(&self) -> Duration {
        Duration::from_secs(self.retry_delay_seconds_max.max(1))
    }

    /// Bytes of a part, within what stores take.
    pub(crate) fn part_bytes(&self) -> usize {
        usize::try_from(self.part_size.clamp(PART_BYTES_MIN, PART_BYTES_MAX)).unwrap_or(PART_BYTES_MIN as usize)
    }
}

/// A size: a number of bytes, or one with a unit, such as `16MiB`.
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Bytes(u64),
        Text(String),
    }
    let refused =
        || D::Error::invalid_value(Unexpected::Other("a text"), &"a size, such as 16MiB (units: B, KiB, MiB, GiB)");
    match Written::deserialize(deserializer)? {
        Written::Bytes(bytes) => Ok(bytes),
        Written::Text(text) => {
            let text = text.trim();
            let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("B", 0)];
            let (number, shift) =
                units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift))).unwrap_or((text, 0));
            let number: u64 = number.trim().parse().map_err(|_| refused())?;
            number.checked_mul(1 << shift).ok_or_else(refused)
        }
    }
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(hidden)")
    }
}
