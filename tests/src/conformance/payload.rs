//! Bytes to store: the same for the same seed, and without repetition that could hide a mix-up.

use bytes::Bytes;

/// `len` bytes that only depend on `seed`.
pub(super) fn bytes(seed: u64, len: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes());
    }
    out.truncate(len);
    Bytes::from(out)
}

/// Parts joined to one run.
pub(super) fn join(parts: &[Bytes]) -> Vec<u8> {
    parts.concat()
}
