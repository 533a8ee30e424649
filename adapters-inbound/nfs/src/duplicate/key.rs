use std::net::IpAddr;

use dittofs_domain::OpId;
use dittofs_transport::ClientNetwork;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::rpc::{Call, Credential};

/// The properties that make two calls the same call.
///
/// The xid alone won't do: clients choose it, and start over. So the key also holds the length, and a digest of the credential and the
/// arguments; for WRITE, the head of the arguments and a checksum of the data.
///
/// The client's port is part of it, as in knfsd: two processes of one machine, or two machines behind one address, may
/// well choose the same xid for the same arguments, and a call of the one must not be taken for the other's. Linux
/// comes back from the same port, if no translation of addresses is in between; for calls that were carried out before
/// a crash, see [`OpId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DuplicateKey {
    client: IpAddr,
    port: u16,
    xid: u32,
    program: u32,
    version: u32,
    procedure: u32,
    record_bytes: u32,
    digest: u64,
    payload_checksum: u32,
}

/// The bytes that WRITE has before its data: a handle of 64 bytes at most, offset, counts and stability, well within
/// this.
const WRITE_HEAD_BYTES: usize = 256;

impl DuplicateKey {
    /// The key of a call whose arguments have not been decoded yet. All of them count.
    pub fn of(call: &Call) -> Self {
        Self::with_arguments(call, call.arguments.rest())
    }

    /// The key of a WRITE whose arguments have not been decoded yet. Its data count by [`DuplicateKey::with_payload_checksum`].
    pub fn of_write(call: &Call) -> Self {
        let arguments = call.arguments.rest();
        Self::with_arguments(call, arguments.get(..WRITE_HEAD_BYTES).unwrap_or(arguments))
    }

    /// The key of a WRITE whose data have this CRC-32C.
    #[must_use]
    pub fn with_payload_checksum(self, payload_checksum: u32) -> Self {
        Self { payload_checksum, ..self }
    }

    fn with_arguments(call: &Call, arguments: &[u8]) -> Self {
        let mut digest = Xxh3::new();
        digest_credential(&call.credential, &mut digest);
        digest.update(arguments);
        Self {
            client: call.peer.ip().to_canonical(),
            port: call.peer.port(),
            xid: call.xid,
            program: call.program,
            version: call.version,
            procedure: call.procedure,
            record_bytes: u32::try_from(call.record_bytes).unwrap_or(u32::MAX),
            digest: digest.digest(),
            payload_checksum: 0,
        }
    }

    /// A name for the operation, the same for each retransmission. The port is the way that it came.
    pub fn operation(&self) -> OpId {
        let client = match self.client {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        };
        let words = [self.xid, self.program, self.version, self.procedure, self.record_bytes];
        let words = words.map(u32::to_be_bytes);
        let (digest, checksum) = (self.digest.to_be_bytes(), self.payload_checksum.to_be_bytes());
        let parts: [&[u8]; 4] = [&client, words.as_flattened(), &digest, &checksum];
        OpId::of_call(xxh3_128(&parts.concat()), self.port)
    }

    pub(super) fn shard(&self, shards: usize) -> usize {
        let spread = self.digest ^ u64::from(self.xid);
        usize::try_from(spread % shards as u64).unwrap_or_default()
    }

    /// Whose part of the cache the call takes up.
    pub(super) fn holder(&self) -> ClientNetwork {
        ClientNetwork::of(self.client)
    }
}

fn digest_credential(credential: &Credential, digest: &mut Xxh3) {
    match credential {
        Credential::None => digest.update(&[0]),
        Credential::Sys(sys) => {
            digest.update(&[1]);
            digest.update(&sys.uid.to_be_bytes());
            digest.update(&sys.gid.to_be_bytes());
            // With their number, so that a group can't be taken for the first word of the arguments.
            digest.update(&sys.gids.len().to_be_bytes());
            for gid in &sys.gids {
                digest.update(&gid.to_be_bytes());
            }
        }
        Credential::Unknown(_) | Credential::Malformed => digest.update(&[2]),
    }
}
