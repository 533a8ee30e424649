use proptest::prelude::*;

use super::*;

const OTHERS: &[fn(&[u8])] =
    &[frame, header, packet, compound, transform, smb1_negotiate, create_contexts, negotiate_context];

/// The StructureSize that each body must have, so that random bytes get past the first check.
fn structure_sizes(command: Command) -> &'static [u16] {
    match command {
        Command::NEGOTIATE => &[36],
        Command::SESSION_SETUP => &[25],
        Command::TREE_CONNECT => &[9],
        Command::CREATE | Command::IOCTL => &[57],
        Command::CLOSE | Command::FLUSH => &[24],
        Command::READ | Command::WRITE => &[49],
        Command::LOCK => &[48],
        Command::QUERY_DIRECTORY | Command::SET_INFO => &[33],
        Command::CHANGE_NOTIFY => &[32],
        Command::QUERY_INFO => &[41],
        Command::OPLOCK_BREAK => &[24, 36],
        _ => &[4],
    }
}

/// Bytes of which many are small, so that offsets and lengths are often inside.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => Just(0_u8), 2 => 0..24_u8, 1 => 100..180_u8, 2 => any::<u8>()];
    prop::collection::vec(byte, 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_bytes_are_survived(data in bytes()) {
        for target in OTHERS {
            target(&data);
        }
        for (command, target) in BODIES {
            target(&data);
            for structure_size in structure_sizes(*command) {
                let mut body = structure_size.to_le_bytes().to_vec();
                body.extend_from_slice(&data);
                target(&body);
            }
        }
    }

    #[test]
    fn any_bytes_behind_a_protocol_id_are_survived(
        first in prop::sample::select(vec![0xFB_u8, 0xFC, 0xFD, 0xFE, 0xFF]),
        data in bytes(),
    ) {
        let mut message = vec![first, b'S', b'M', b'B', 64, 0];
        message.extend_from_slice(&data);
        packet(&message);
        compound(&message);
        transform(&message);
        smb1_negotiate(&message);
        let mut framed = frame::header(message.len()).unwrap().to_vec();
        framed.extend_from_slice(&message);
        frame(&framed);
    }
}
