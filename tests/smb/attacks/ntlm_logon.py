"""The client's side of NTLMv2, in which every part can be altered."""

import os
import struct

from impacket import ntlm

FLAGS = (
    ntlm.NTLMSSP_NEGOTIATE_UNICODE
    | ntlm.NTLMSSP_REQUEST_TARGET
    | ntlm.NTLMSSP_NEGOTIATE_NTLM
    | ntlm.NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY
    | ntlm.NTLMSSP_NEGOTIATE_TARGET_INFO
    | ntlm.NTLMSSP_NEGOTIATE_VERSION
    | ntlm.NTLMSSP_NEGOTIATE_128
    | ntlm.NTLMSSP_NEGOTIATE_SIGN
)
HAS_MIC = 2
VERSION = bytes([10, 0, 0, 0, 0, 0, 0, 15])


def negotiate_message():
    return b"NTLMSSP\0" + struct.pack("<II", 1, FLAGS) + bytes(16) + VERSION


class Logon:
    """What an AUTHENTICATE says. `authenticate` makes it of the attributes, which an attack may change before."""

    def __init__(self, user, password, challenge):
        self.user, self.domain, self.password = user, "", password
        self.negotiate, self.challenge_message = negotiate_message(), challenge
        challenge = ntlm.NTLMAuthChallenge(challenge)
        self.server_challenge = challenge["challenge"]
        self.pairs = ntlm.AV_PAIRS(challenge["TargetInfoFields"])
        self.pairs[ntlm.NTLMSSP_AV_FLAGS] = struct.pack("<I", HAS_MIC)
        self.flags = FLAGS
        # Functions over the finished parts.
        self.alter_proof = self.alter_mic = self.alter_response = lambda part: part
        self.session_key = bytes(16)

    def clear_mic(self):
        """Says that there is no MIC."""
        self.pairs[ntlm.NTLMSSP_AV_FLAGS] = bytes(4)
        self.alter_mic = lambda mic: bytes(16)

    def authenticate(self):
        key = ntlm.NTOWFv2(self.user, self.password, self.domain)
        time = self.pairs[ntlm.NTLMSSP_AV_TIME][1]
        covered = b"\1\1" + bytes(6) + time + os.urandom(8) + bytes(4) + self.pairs.getData() + bytes(4)
        proof = ntlm.hmac_md5(key, self.server_challenge + covered)
        self.session_key = ntlm.hmac_md5(key, proof)
        response = self.alter_response(self.alter_proof(proof) + covered)
        message = self._message(response)
        mic = ntlm.hmac_md5(self.session_key, self.negotiate + self.challenge_message + message)
        return message[:72] + self.alter_mic(mic) + message[88:]

    def _message(self, response):
        parts = [bytes(24), response, self.domain.encode("utf-16le"), self.user.encode("utf-16le"), b"", b""]
        fields, offset = b"", 88
        for part in parts:
            fields += struct.pack("<HHI", len(part), len(part), offset)
            offset += len(part)
        return (
            b"NTLMSSP\0"
            + struct.pack("<I", 3)
            + fields
            + struct.pack("<I", self.flags)
            + VERSION
            + bytes(16)
            + b"".join(parts)
        )


def anonymous_message():
    """An AUTHENTICATE without a name and a response (MS-NLMP, 3.2.5.1.2)."""
    flags = FLAGS | ntlm.NTLMSSP_NEGOTIATE_ANONYMOUS
    fields = b"".join(struct.pack("<HHI", length, length, 88) for length in (1, 0, 0, 0, 0, 0))
    return b"NTLMSSP\0" + struct.pack("<I", 3) + fields + struct.pack("<I", flags) + VERSION + bytes(16) + b"\0"
