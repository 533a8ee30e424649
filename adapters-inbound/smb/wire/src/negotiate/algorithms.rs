//! The algorithms that negotiate contexts name, MS-SMB2 2.2.3.1.

use crate::layout::open_integer;

open_integer! {
    /// A hash of the preauthentication integrity, 2.2.3.1.1.
    pub struct HashAlgorithm(u16) {
        /// SHA-512.
        SHA_512 = 0x0001,
    }
}

open_integer! {
    /// A cipher, 2.2.3.1.2.
    pub struct Cipher(u16) {
        /// AES-128-CCM.
        AES_128_CCM = 0x0001,
        /// AES-128-GCM.
        AES_128_GCM = 0x0002,
        /// AES-256-CCM.
        AES_256_CCM = 0x0003,
        /// AES-256-GCM.
        AES_256_GCM = 0x0004,
    }
}

open_integer! {
    /// A compression algorithm, 2.2.3.1.3.
    pub struct CompressionAlgorithm(u16) {
        /// No compression.
        NONE = 0x0000,
        /// LZNT1.
        LZNT1 = 0x0001,
        /// LZ77.
        LZ77 = 0x0002,
        /// LZ77 and Huffman.
        LZ77_HUFFMAN = 0x0003,
        /// Pattern_V1.
        PATTERN_V1 = 0x0004,
        /// LZ4.
        LZ4 = 0x0005,
    }
}

open_integer! {
    /// A transform of data that goes by RDMA, 2.2.3.1.6.
    pub struct RdmaTransform(u16) {
        /// None.
        NONE = 0x0000,
        /// Encryption.
        ENCRYPTION = 0x0001,
        /// Signing.
        SIGNING = 0x0002,
    }
}

open_integer! {
    /// A signing algorithm, 2.2.3.1.7.
    pub struct SigningAlgorithm(u16) {
        /// HMAC-SHA-256.
        HMAC_SHA256 = 0x0000,
        /// AES-128-CMAC.
        AES_CMAC = 0x0001,
        /// AES-128-GMAC.
        AES_GMAC = 0x0002,
    }
}
