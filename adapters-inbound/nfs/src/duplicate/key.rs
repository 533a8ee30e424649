use std::net::IpAddr;

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::rpc::{Call, Credential};

/// What makes two calls the same call.
///
/// The xid alone won't do: clients choose it, and start over. So the key also holds the length, and a digest of the credential and the
/// first 256 bytes of the arguments; for WRITE, [`DuplicateKey::with_payload_checksum`] adds the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DuplicateKey {
    client: IpAddr,
    xid: u32,
    program: u32,
    version: u32,
    procedure: u32,
    record_bytes: u32,
    digest: u64,
    payload_checksum: u32,
}

const ARGUMENT_BYTES_MAX: usize = 256;

impl DuplicateKey {
    /// The key of a call whose arguments have not been decoded yet.
    pub fn of(call: &Call) -> Self {
        let mut digest = Xxh3::new();
        digest_credential(&call.credential, &mut digest);
        let arguments = call.arguments.rest();
        digest.update(arguments.get(..ARGUMENT_BYTES_MAX).unwrap_or(arguments));
        Self {
            client: call.peer.ip().to_canonical(),
            xid: call.xid,
            program: call.program,
            version: call.version,
            procedure: call.procedure,
            record_bytes: u32::try_from(call.record_bytes).unwrap_or(u32::MAX),
            digest: digest.digest(),
            payload_checksum: 0,
        }
    }

    /// The key of a WRITE whose data have this CRC-32C.
    #[must_use]
    pub fn with_payload_checksum(self, payload_checksum: u32) -> Self {
        Self { payload_checksum, ..self }
    }

    /// A name for the operation, the same for each retransmission: what a metadata store takes as its `OpId`.
    pub fn operation(&self) -> u128 {
        let client = match self.client {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        };
        let words = [self.xid, self.program, self.version, self.procedure, self.record_bytes, self.payload_checksum];
        let words = words.map(u32::to_be_bytes);
        let parts: [&[u8]; 3] = [&client, words.as_flattened(), &self.digest.to_be_bytes()];
        xxh3_128(&parts.concat())
    }

    pub(super) fn shard(&self, shards: usize) -> usize {
        let spread = self.digest ^ u64::from(self.xid);
        usize::try_from(spread % shards as u64).unwrap_or_default()
    }
}

fn digest_credential(credential: &Credential, digest: &mut Xxh3) {
    match credential {
        Credential::None => digest.update(&[0]),
        Credential::Sys(sys) => {
            digest.update(&[1]);
            digest.update(&sys.uid.to_be_bytes());
            digest.update(&sys.gid.to_be_bytes());
            for gid in &sys.gids {
                digest.update(&gid.to_be_bytes());
            }
        }
        Credential::Unknown(_) | Credential::Malformed => digest.update(&[2]),
    }
}
