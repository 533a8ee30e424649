use proptest::prelude::*;

use super::*;
use crate::{
    ntlm::client::Client,
    spnego::{Mechanism, initiator::Initiator},
};

const TARGETS: [fn(&[u8]); 5] = [ntlm_negotiate, ntlm_authenticate, spnego_init, spnego_resp, transform];

/// Messages that are in order, as a start for changes.
fn seeds() -> Vec<Vec<u8>> {
    let client = Client::new("user", "DOMAIN", "password");
    let challenge = ntlm::challenge(&client.negotiate(), &names().unwrap(), [7; 8], FileTime(0)).unwrap();
    let authenticate = client.respond(challenge.message(), [1; 8], [2; 16]).unwrap().message;
    let initiator = Initiator::new(client.clone(), &[Mechanism::Kerberos, Mechanism::Ntlm]);
    let resp = NegTokenResp { token: Some(&authenticate), mic: Some(&[3; 16]), ..NegTokenResp::default() };
    let header =
        TransformHeader { signature: [1; 16], nonce: [2; 16], original_message_size: 9, flags: 1, session_id: 5 };
    vec![
        client.negotiate(),
        authenticate.clone(),
        initiator.first(Some(b"ticket")),
        resp.encode(),
        [&header.encode()[..], b"encrypted"].concat(),
    ]
}

#[test]
fn the_negotiate_message_is_one_that_the_server_takes() {
    assert!(ntlm::challenge(NEGOTIATE, &names().unwrap(), [7; 8], FileTime(0)).is_ok());
}

#[test]
fn cut_messages_do_no_harm() {
    for seed in seeds() {
        for length in 0..seed.len() {
            TARGETS.iter().for_each(|target| target(&seed[..length]));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_bytes_do_no_harm(bytes: Vec<u8>) {
        TARGETS.iter().for_each(|target| target(&bytes));
    }

    #[test]
    fn changed_messages_do_no_harm(
        seed in 0_usize..5,
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        length in any::<usize>(),
    ) {
        let mut message = seeds().swap_remove(seed);
        for (at, byte) in changes {
            let at = at % message.len();
            message[at] = byte;
        }
        TARGETS.iter().for_each(|target| target(&message));
        message.truncate(length % message.len());
        TARGETS.iter().for_each(|target| target(&message));
    }
}
