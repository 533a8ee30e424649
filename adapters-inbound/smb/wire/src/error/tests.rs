use super::*;
use crate::sample::{Sample, encoded};

#[test]
fn empty_error_has_one_byte_of_data() {
    assert_eq!(encoded(&ErrorResponse::Empty), Sample::body(9).u16(0, 9).into_body());
}

#[test]
fn needed_length_is_data_before_smb_3_1_1() {
    let expected = Sample::body(8).u16(0, 9).u32(4, 4).u32(8, 0x0102_0304);
    assert_eq!(encoded(&ErrorResponse::buffer_too_small(0x0102_0304, false)), expected.into_body());
}

#[test]
fn needed_length_is_a_context_in_smb_3_1_1() {
    let expected = Sample::body(8).u16(0, 9).u8(2, 1).u32(4, 12).u32(8, 4).u32(12, 0).u32(16, 0x0102_0304);
    assert_eq!(encoded(&ErrorResponse::buffer_too_small(0x0102_0304, true)), expected.into_body());
}
