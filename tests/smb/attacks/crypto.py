"""Keys, signatures and seals of SMB 3.1.1, for a client that may use them wrongly on purpose."""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEALED = b"\xfdSMB"
TRANSFORM = struct.Struct("<4s16s16sIHHQ")


def derive(key, label, context):
    """The first round of SP800-108 with HMAC-SHA256 (MS-SMB2, 3.1.4.2)."""
    data = struct.pack(">I", 1) + label + b"\0" + b"\0" + context + struct.pack(">I", 128)
    return hmac.new(key, data, hashlib.sha256).digest()[:16]


class Keys:
    """The keys of a session with AES-128-GMAC and AES-128-GCM."""

    def __init__(self, session_key, preauth):
        self.signing = AESGCM(derive(session_key, b"SMBSigningKey", preauth))
        self.to_server = AESGCM(derive(session_key, b"SMBC2SCipherKey", preauth))
        self.to_client = AESGCM(derive(session_key, b"SMBS2CCipherKey", preauth))
        self.nonce = 0

    def signature(self, message, of_server=False):
        """AES-128-GMAC over a message whose signature is zero (MS-SMB2, 3.1.4.1)."""
        message_id, command = message[24:32], struct.unpack_from("<H", message, 12)[0]
        role = int(of_server) | (2 if command == 12 else 0)
        nonce = message_id + struct.pack("<I", role)
        return self.signing.encrypt(nonce, b"", message[:48] + bytes(16) + message[64:])

    def signed(self, message):
        flags = struct.unpack_from("<I", message, 16)[0] | 8
        message = message[:16] + struct.pack("<I", flags) + message[20:48] + bytes(16) + message[64:]
        return message[:48] + self.signature(message) + message[64:]

    def sealed(self, message, session, nonce=None):
        if nonce is None:
            self.nonce += 1
            nonce = self.nonce
        nonce = struct.pack("<QQ", nonce, 0)
        associated = nonce + struct.pack("<IHHQ", len(message), 0, 1, session)
        text = self.to_server.encrypt(nonce[:12], message, associated)
        return SEALED + text[-16:] + associated + text[:-16]

    def opened(self, message):
        _, tag, nonce, _, _, _, _ = TRANSFORM.unpack_from(message)
        return self.to_client.decrypt(nonce[:12], message[52:] + tag, message[20:52])
