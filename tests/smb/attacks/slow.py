"""Clients that take their time: to send what they have begun, and to take what they have asked for."""

import socket
import struct
import time

import bodies as b
from client import Client, Dropped, connected, header
from harness import attack, expect
from impacket import nt_errors as nt
from nfs import Mount
from ntlm_logon import negotiate_message

# As attacks.sh configures it: seconds that a client may stand still.
PATIENCE = 5
# Until a connection is dropped, with some room for a loaded machine.
DROPPED = 2 * PATIENCE + 6


@attack
def a_byte_each_two_seconds(world):
    """It would take the frame for hours. A stranger and a user each, in the length and in the message."""
    begun, ends = time.monotonic(), {}
    message = header(b.NEGOTIATE, 0, charge=0) + b.negotiate()
    frame = struct.pack(">I", len(message)) + message
    stranger, user = Client(world.address, world.new_source()), connected(world, source=world.new_source())
    slow = {"stranger": (stranger, frame), "user": (user, struct.pack(">I", 8 << 20) + bytes(100))}
    sent = 0
    while len(ends) < 2 and time.monotonic() - begun < 6 * PATIENCE:
        for name, (client, data) in slow.items():
            if name not in ends:
                try:
                    client.socket.setblocking(False)
                    client.socket.send(data[sent : sent + 1])
                    if client.socket.recv(1) == b"":
                        raise ConnectionError
                except BlockingIOError:
                    pass
                except ConnectionError:
                    ends[name] = time.monotonic() - begun
        sent += 1
        time.sleep(2)
    assert len(ends) == 2, f"still there: {set(slow) - set(ends)}"
    return ", ".join(f"{name} dropped after {seconds:.0f} s" for name, seconds in ends.items())


@attack
def strangers_that_say_nothing(world):
    clients = [Client(world.address, world.new_source()) for _ in range(30)]
    begun = time.monotonic()
    for client in clients:
        assert client.is_dropped(DROPPED), "a stranger stays that says nothing"
    return f"dropped after {time.monotonic() - begun:.0f} s"


@attack
def a_logon_that_never_ends(world):
    """A stranger that begins one logon after another is dropped in time, too."""
    with Client(world.address, world.new_source()) as client:
        client.negotiate()
        begun = time.monotonic()
        try:
            while True:
                assert time.monotonic() - begun < DROPPED, "it stays"
                client.first_leg()
                time.sleep(0.3)
        except Dropped:
            return f"dropped after {time.monotonic() - begun:.0f} s"


@attack
def writes_that_stall_half_way(world):
    """From 20 addresses, of 8 MiB each. Another user writes as much beside them."""
    clients = []
    try:
        for _ in range(20):
            client = connected(world, source=world.new_source(), timeout=30)
            clients.append(client)
            client.earn(140)
            file = client.create("stalled")
            message = client.message(b.WRITE, b.write(file, bytes(8 << 20)), charge=128)
            client.socket.setblocking(False)
            try:
                client.socket.send(struct.pack(">I", len(message)) + message[: 4 << 20])
            except BlockingIOError:
                pass
        with connected(world, "bob", source=world.new_source(), timeout=60) as other:
            other.earn(140)
            file, begun = other.create("beside"), time.monotonic()
            other.must(b.WRITE, b.write(file, bytes(8 << 20)), charge=128)
            took = time.monotonic() - begun
        assert took < DROPPED, f"another waited for {took:.0f} s"
        for client in clients:
            assert client.is_dropped(DROPPED), "a connection stays that sends nothing"
    finally:
        for client in clients:
            client.close()
    return f"8 MiB of another were written in {took:.1f} s; all were dropped"


def reading(world, receive_bytes, also_opens=None):
    """A client that asks for 56 MiB, in a socket that takes little."""
    client = connected(world, source=world.new_source(), timeout=30)
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    client.earn(1_024)
    file = client.create("read-slowly")
    for at in range(8):
        client.must(b.WRITE, b.write(file, bytes(1 << 20), offset=at << 20), charge=16)
    client.earn(1_024)
    client.also_open = also_opens and client.create(also_opens, access=b.READ_AND_WRITE)
    for _ in range(7):
        client.start(b.READ, b.read(file, length=8 << 20), charge=128, credits=1)
    return client


@attack
def answers_that_nobody_takes(world):
    clients = [reading(world, 4096) for _ in range(10)]
    with connected(world, "bob", source=world.new_source(), timeout=60) as other:
        other.earn(140)
        file, begun = other.create("beside"), time.monotonic()
        other.must(b.WRITE, b.write(file, bytes(8 << 20)), charge=128)
        took = time.monotonic() - begun
    begun = time.monotonic()
    while any(is_served(client) for client in clients):
        assert time.monotonic() - begun < DROPPED, "a connection stays that takes nothing"
        time.sleep(0.2)
    for client in clients:
        client.close()
    return f"8 MiB of another were written in {took:.1f} s; all were dropped"


def is_served(client):
    """Whether the server has the connection still: the system may go on to send what is in its buffers."""
    local, port = f"0100007F:{client.port:04X}", f":{client.own_port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as connections:
        for line in connections:
            _, here, there, state = line.split()[:4]
            if here == local and there.endswith(port) and state == "01":
                return True
    return False


@attack
def answers_that_are_taken_bit_by_bit(world):
    """A KiB each half second, of 56 MiB: none may hold the server's memory for hours."""
    client, begun, taken = reading(world, 2048), time.monotonic(), 0
    while is_served(client):
        taken += len(client.socket.recv(1024))
        assert time.monotonic() - begun < 6 * PATIENCE, "it may take as long as it likes"
        time.sleep(0.5)
    client.close()
    return f"dropped after {time.monotonic() - begun:.0f} s and {taken >> 10} KiB"


@attack
def requests_behind_answers_that_nobody_takes(world):
    """What was begun goes on, so that nothing of a file stays locked that others use: here it is written, flushed, cut
    and opened by all."""
    clients, waits = [], []
    try:
        with connected(world, "bob", source=world.new_source(), timeout=30) as other:
            theirs = other.create("shared-file")
            Mount(world.nfs, b"/export").set_mode(0o666, b"shared-file")
            for _ in range(6):
                client = reading(world, 4096, also_opens="shared-file")
                clients.append(client)
                file = client.also_open
                for index in range(100):
                    client.start(b.WRITE, b.write(file, bytes(4096), offset=index << 16), credits=1)
                    client.start(b.FLUSH, b.flush(file), credits=1)
                    client.start(b.SET_INFO, b.set_info(file, 1, 20, struct.pack("<Q", index << 12)), credits=1)
            for _ in range(40):
                begun = time.monotonic()
                other.must(b.WRITE, b.write(theirs, b"mine"))
                other.must(b.CLOSE, b.close(other.create("shared-file")))
                waits.append(time.monotonic() - begun)
                time.sleep(0.05)
    finally:
        for client in clients:
            client.close()
    assert max(waits) < 1, f"another waited for {max(waits):.1f} s"
    return f"another waited for {1000 * max(waits):.0f} ms at most"


@attack
def half_open_logons_that_are_left(world):
    """100 connections leave in the middle of a logon; nothing of them stays."""
    for _ in range(100):
        with Client(world.address, world.new_source()) as client:
            client.negotiate()
            client.send(client.message(b.SESSION_SETUP, b.session_setup(negotiate_message())))
    with connected(world, source=world.new_source()) as client:
        expect(client.request(b.ECHO, b.EMPTY), nt.STATUS_SUCCESS)
