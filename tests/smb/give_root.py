#!/usr/bin/env python3
"""Gives the root of a share to a user, over NFS: Samba's programs can't where the server is on a port of its own.

Usage: give_root.py PORT EXPORT ID
"""

import socket
import struct
import sys

MOUNT, NFS = 100_005, 100_003


def opaque(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data + bytes(-len(data) % 4)


def call(connection: socket.socket, program: int, procedure: int, arguments: bytes) -> bytes:
    """The results of a call that root makes."""
    root = opaque(struct.pack(">I", 0) + opaque(b"torture") + struct.pack(">III", 0, 0, 0))
    head = struct.pack(">IIIIII", 1, 0, 2, program, 3, procedure)
    message = head + struct.pack(">I", 1) + root + struct.pack(">II", 0, 0) + arguments
    connection.sendall(struct.pack(">I", 1 << 31 | len(message)) + message)
    reader = connection.makefile("rb")
    (length,) = struct.unpack(">I", reader.read(4))
    reply = reader.read(length & 0x7FFF_FFFF)
    accepted = struct.unpack(">IIIIII", reply[:24])
    if accepted[2] != 0 or accepted[5] != 0:
        sys.exit(f"give_root.py: the call was refused: {accepted}")
    return reply[24:]


def status(results: bytes) -> None:
    (found,) = struct.unpack(">I", results[:4])
    if found != 0:
        sys.exit(f"give_root.py: status {found}")


def main() -> None:
    port, export, owner = int(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        mounted = call(connection, MOUNT, 1, opaque(export))
        status(mounted)
        (length,) = struct.unpack(">I", mounted[4:8])
        handle = mounted[8 : 8 + length]
        # The mode stays, owner and group are set, size and times stay, and nothing is compared.
        attributes = struct.pack(">IIIIIIIII", 0, 1, owner, 1, owner, 0, 0, 0, 0)
        status(call(connection, NFS, 2, opaque(handle) + attributes))


main()
