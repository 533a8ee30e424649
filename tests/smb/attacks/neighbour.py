"""The clients beside the attacks. Each asks for the attributes of a file over and over, and writes how long that took.
The one of SMB also makes a file now and then, writes, reads, lists and deletes it. It ends with an error as soon as
something goes wrong.
Usage: neighbour.py smb|nfs PORT PASSWORD FILE"""

import os
import sys
import time

import bodies as b
from client import connected
from nfs import Mount

PAUSE = 0.008
# Calls for attributes between two rounds of the rest.
CALLS = 10


class Server:
    def __init__(self, port, password):
        self.address, self.passwords = ("127.0.0.1", port), {"alice": password}


class Smb:
    """A user at an address of its own."""

    def __init__(self, port, password):
        self.client = connected(Server(port, password), source="127.0.0.2", timeout=60)
        self.directory = self.client.create("neighbour", options=b.DIRECTORY)
        self.file = self.client.create("neighbour\\kept")

    def ask(self):
        self.client.must(b.QUERY_INFO, b.query_info(self.file))

    def work(self):
        client, content = self.client, os.urandom(4096)
        file = client.create("neighbour\\file")
        client.must(b.WRITE, b.write(file, content))
        reply = client.must(b.READ, b.read(file))
        assert reply.raw[reply.body[2] :][:4096] == content, "read something else than was written"
        client.must(b.QUERY_DIRECTORY, b.query_directory(self.directory, flags=1))
        client.must(b.SET_INFO, b.set_info(file, 1, 13, b"\1"))
        client.must(b.CLOSE, b.close(file))


class Nfs:
    def __init__(self, port, _password):
        self.mount = Mount(("127.0.0.1", port), b"/export", source="127.0.0.3", timeout=60)

    def ask(self):
        self.mount.attributes(self.mount.root)

    def work(self):
        self.mount.look_up(b"neighbour")


def main(protocol, port, password, path):
    client = {"smb": Smb, "nfs": Nfs}[protocol](int(port), password)
    with open(path, "a", buffering=1, encoding="ascii") as lines:
        while True:
            for _ in range(CALLS):
                begun = time.monotonic()
                client.ask()
                lines.write(f"{protocol} {1000 * (time.monotonic() - begun):.2f}\n")
                time.sleep(PAUSE)
            begun = time.monotonic()
            client.work()
            lines.write(f"{protocol}-work {1000 * (time.monotonic() - begun):.2f}\n")


main(*sys.argv[1:])
