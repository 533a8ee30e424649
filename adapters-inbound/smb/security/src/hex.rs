//! Bytes of known answers, as the standards print them.

/// The bytes that these digits stand for. White space is passed over.
pub(crate) fn decode(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> = digits.chars().filter_map(|digit| digit.to_digit(16)).collect();
    assert_eq!(digits.len() % 2, 0, "an odd number of digits");
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | *digit as u8)).collect()
}

/// The same, for a known number of bytes.
pub(crate) fn array<const N: usize>(digits: &str) -> [u8; N] {
    decode(digits).try_into().unwrap_or_else(|bytes: Vec<u8>| panic!("{} bytes, not {N}", bytes.len()))
}
