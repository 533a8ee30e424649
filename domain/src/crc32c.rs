//! CRC-32C: the checksum of what the journal and the metadata log have on the disk, and of what is compared of a call's
//! payload.

use crc_fast::{CrcAlgorithm, Digest};

const ALGORITHM: CrcAlgorithm = CrcAlgorithm::Crc32Iscsi;

/// The checksum of bytes.
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::checksum(ALGORITHM, bytes) as u32
}

/// Continues a checksum: `before` is the checksum of the bytes before these.
pub fn crc32c_append(before: u32, bytes: &[u8]) -> u32 {
    let mut digest = Digest::new_with_init_state(ALGORITHM, u64::from(!before));
    digest.update(bytes);
    digest.finalize() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data on disks was written with this checksum.
    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32c(b""), 0);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn what_follows_can_be_cut_anywhere() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(1_000).collect();
        for cut in 0..=bytes.len() {
            let (before, after) = bytes.split_at(cut);
            assert_eq!(crc32c_append(crc32c(before), after), crc32c(&bytes), "cut at {cut}");
        }
    }
}
