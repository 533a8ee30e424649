use super::*;

#[test]
fn nt_hash_is_that_of_the_standards_example() {
    // MS-NLMP 4.2.2.1.2
    let hash = NtHash::of_password("Password");
    assert_eq!(hash.as_bytes(), &0xa4f4_9c40_6510_bdca_b682_4ee7_c30f_d852_u128.to_be_bytes());
}

#[test]
fn nt_hash_of_an_empty_password_is_that_of_no_bytes() {
    let hash = NtHash::of_password("");
    assert_eq!(hash.as_bytes(), &0x31d6_cfe0_d16a_e931_b73c_59d7_e0c0_89c0_u128.to_be_bytes());
}

#[test]
fn session_key_is_cut_or_padded_to_16_bytes() {
    assert_eq!(SessionKey::new(&[7; 32]).first_16().as_slice(), &[7; 16]);
    assert_eq!(SessionKey::new(&[7; 8]).first_16().as_slice(), [[7; 8], [0; 8]].concat());
    assert_eq!(SessionKey::new(&[7; 32]).full(), &[7; 32]);
}

#[test]
fn secrets_do_not_print() {
    let printed = format!("{:?} {:?}", NtHash::from_bytes([0xab; 16]), SessionKey::new(&[0xab; 16]));
    assert_eq!(printed, "NtHash(secret) SessionKey(secret)");
}
