use aes_gcm::{Aes128Gcm, aead::AeadInOut};
use proptest::prelude::*;

use super::*;

/// The code as another library computes it.
fn expected(key: [u8; 16], nonce: [u8; 12], message: &[u8]) -> Block {
    let cipher = <Aes128Gcm as aes_gcm::KeyInit>::new(&key.into());
    cipher.encrypt_inout_detached(&nonce.into(), message, (&mut [][..]).into()).unwrap().into()
}

fn split<'a>(message: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut % (message.len() + 1)).collect();
    places.extend([0, message.len()]);
    places.sort_unstable();
    places.windows(2).map(|ends| &message[ends[0]..ends[1]]).collect()
}

#[test]
fn code_is_that_of_the_standards_example() {
    // McGrew and Viega, "The Galois/Counter Mode of Operation", test case 1: nothing at all.
    let gmac = Gmac::new(&[0; 16]).unwrap();
    let code = gmac.tag([0; 12], std::iter::empty()).unwrap();
    assert_eq!(code, 0x58e2_fcce_fa7e_3061_367f_1d57_a4e7_455a_u128.to_be_bytes());
}

#[test]
fn powers_are_those_of_repeated_multiplication() {
    let gmac = Gmac::new(b"0123456789abcdef").unwrap();
    let mut product = gmac.powers[0];
    for exponent in 0..70 {
        assert_eq!(gmac.times_power(gmac.powers[0], exponent), product);
        product = multiply(&product, &gmac.powers[0]);
    }
}

#[test]
fn pieces_around_the_gathering_length_add_up() {
    let gmac = Gmac::new(b"0123456789abcdef").unwrap();
    let message: Vec<u8> = (0..40_000_u32).map(|number| (number * 7 % 251) as u8).collect();
    for head in [0, 1, 15, 16, 17, 80, GATHERED_MAX - 1, GATHERED_MAX, GATHERED_MAX + 1] {
        for middle in [0, 1, 16, GATHERED_MAX - 1, GATHERED_MAX, GATHERED_MAX + 9, 3 * GATHERED_MAX + 16] {
            for tail in [0, 1, 16, GATHERED_MAX, GATHERED_MAX + 33] {
                let message = &message[..head + middle + tail];
                let pieces = [&message[..head], &message[head..head + middle], &message[head + middle..]];
                let code = gmac.tag([9; 12], pieces.into_iter()).unwrap();
                assert_eq!(code, gmac.single([9; 12], message).unwrap(), "{head} {middle} {tail}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn code_of_pieces_is_that_of_the_whole(
        key: [u8; 16],
        nonce: [u8; 12],
        seed: u8,
        length in prop_oneof![0_usize..300, 0_usize..30_000],
        cuts in proptest::collection::vec(any::<usize>(), 0..8),
    ) {
        let message: Vec<u8> = (0..length).map(|at| (at as u8).wrapping_mul(31) ^ seed).collect();
        let gmac = Gmac::new(&key).unwrap();
        let code = gmac.tag(nonce, split(&message, &cuts).into_iter()).unwrap();
        prop_assert_eq!(code, expected(key, nonce, &message));
    }
}
