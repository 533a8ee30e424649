use proptest::prelude::*;
use sha2::{Digest, Sha512};

use super::*;

proptest! {
    #[test]
    fn hash_is_that_of_another_library(messages: Vec<Vec<u8>>) {
        let mut hash = PreauthHash::new();
        let mut expected = [0; 64];
        for message in &messages {
            hash.update(&[message]);
            expected = Sha512::new().chain_update(expected).chain_update(message).finalize().into();
        }
        prop_assert_eq!(hash.as_bytes(), &expected);
    }

    #[test]
    fn pieces_of_a_message_do_not_matter_but_messages_do(
        message in proptest::collection::vec(any::<u8>(), 1..200),
        cut: usize,
    ) {
        let (head, tail) = message.split_at(cut % message.len());
        let [mut whole, mut pieces, mut two] = [(); 3].map(|()| PreauthHash::default());
        whole.update(&[&message]);
        pieces.update(&[head, tail]);
        two.update(&[head]);
        two.update(&[tail]);
        prop_assert_eq!(&whole, &pieces);
        prop_assert_ne!(&whole, &two);
    }
}
