"""A client of NFSv3: what SMB does not make yet, and the neighbour by the other protocol."""

import os
import socket
import struct

MOUNT, NFS = 100005, 100003


def opaque(data):
    return struct.pack(">I", len(data)) + data + bytes(-len(data) % 4)


class Mount:
    """A share, as root."""

    def __init__(self, address, share, source=None, timeout=10):
        self.socket = socket.create_connection(address, timeout, source_address=source and (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reply = self.call(MOUNT, 1, opaque(share))
        (length,) = struct.unpack_from(">I", reply, 4)
        self.root = reply[8 : 8 + length]

    def call(self, program, procedure, arguments):
        # AUTH_SYS: stamp, machine, uid, gid, no further groups.
        credential = struct.pack(">I", 1) + opaque(bytes(4) + opaque(b"client") + bytes(12))
        xid = os.urandom(4)
        call = xid + struct.pack(">IIIII", 0, 2, program, 3, procedure) + credential + bytes(8) + arguments
        self.socket.sendall(struct.pack(">I", 0x80000000 | len(call)) + call)
        (length,) = struct.unpack(">I", self.read(4))
        reply = self.read(length & 0x7FFFFFFF)
        status = struct.unpack_from(">I", reply, 24)[0]
        assert reply[:4] == xid and status == 0, f"procedure {procedure} of {program}: status {status}"
        return reply[24:]

    def read(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            assert part, "the server has closed the connection"
            data += part
        return data

    def attributes(self, handle):
        return self.call(NFS, 1, opaque(handle))[4:]

    def look_up(self, *names):
        handle = self.root
        for name in names:
            reply = self.call(NFS, 3, opaque(handle) + opaque(name))
            (length,) = struct.unpack_from(">I", reply, 4)
            handle = reply[8 : 8 + length]
        return handle

    def set_mode(self, mode, *names):
        attributes = struct.pack(">II", 1, mode) + bytes(20)
        self.call(NFS, 2, opaque(self.look_up(*names)) + attributes + bytes(4))

    def make_symlink(self, name, target):
        self.call(NFS, 10, opaque(self.root) + opaque(name) + bytes(24) + opaque(target))
