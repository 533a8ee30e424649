/// Tells the requests of one connection that carry a plan: they call a function that was prepared before.
#[derive(Default)]
pub(super) struct Plans {
    /// The name of the prepared statement.
    name: Option<Vec<u8>>,
}

/// How the function is called, whatever its version.
const FUNCTION: &[u8] = b"apply_";

impl Plans {
    /// Whether some bytes of a client carry one, as whole messages: each a letter, its length without that, and the rest.
    pub(super) fn are_in(&mut self, bytes: &[u8]) -> bool {
        let (mut rest, mut found) = (bytes, false);
        while let [kind, a, b, c, d, after @ ..] = rest {
            let len = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            // Not so the first message of a connection, which has no letter.
            let Some((body, next)) = len.checked_sub(4).and_then(|len| after.split_at_checked(len)) else { break };
            let mut texts = body.split(|byte| *byte == 0);
            let (first, second) = (texts.next(), texts.next());
            match kind {
                // Parse: the name and the statement.
                b'P' if second.is_some_and(|text| text.windows(FUNCTION.len()).any(|part| part == FUNCTION)) => {
                    self.name = first.map(<[u8]>::to_vec);
                }
                // Bind: a portal and the name.
                b'B' => found |= self.name.is_some() && second == self.name.as_deref(),
                _ => {}
            }
            rest = next;
        }
        found
    }
}
