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
