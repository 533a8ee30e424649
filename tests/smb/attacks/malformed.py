"""Requests whose fields lead outside of them, and bytes that are no requests."""

import os
import random
import struct

import bodies as b
from client import Dropped, connected
from harness import attack, expect
from impacket import nt_errors as nt

BAD = (
    nt.STATUS_INVALID_PARAMETER,
    nt.STATUS_OBJECT_NAME_INVALID,
    nt.STATUS_INFO_LENGTH_MISMATCH,
    nt.STATUS_NOT_SUPPORTED,
    nt.STATUS_INVALID_INFO_CLASS,
    nt.STATUS_BAD_NETWORK_NAME,
    nt.STATUS_ACCESS_DENIED,
)
FAR = (0, 1, 63, 64, 0x7FFF, 0xFFFF)


def patched(body, at, form, *values):
    size = struct.calcsize(form)
    return body[:at] + struct.pack(form, *values) + body[at + size :]


def is_refused(client, command, body):
    """Whether it is refused, be it by the end of the connection."""
    try:
        return client.request(command, body).status != nt.STATUS_SUCCESS
    except Dropped:
        return True


def wrong_bodies(file, directory):
    """Requests with a name or a buffer outside of the message, or cut short."""
    for offset in FAR:
        yield b.TREE_CONNECT, patched(b.tree_connect("export"), 4, "<HH", offset, 0xFFFF)
        yield b.SESSION_SETUP, patched(b.session_setup(bytes(40)), 12, "<HH", offset, 0xFFFF)
        yield b.CREATE, patched(b.create("outside"), 44, "<HH", offset, 0xFFFE)
        yield b.CREATE, patched(b.create("outside"), 48, "<II", offset + 0xFFFF0000, 0xFFFFFFFF)
        yield b.WRITE, b.write(file, b"x" * 64, data_offset=offset, length=0xFFFF)
        yield b.IOCTL, b.ioctl(file, 0x001440F2, b"x" * 32, offset=offset + 0xFFFF0000, length=0xFFFF)
        yield b.QUERY_DIRECTORY, patched(b.query_directory(directory), 24, "<HH", offset, 0xFFFF)
        yield b.SET_INFO, patched(b.set_info(file, 1, 4, bytes(40)), 4, "<IH", 0xFFFFFFFF, offset)
        yield b.QUERY_INFO, patched(b.query_info(file, 1, 15), 8, "<HHI", offset, 0, 0xFFFFFFFF)
    yield b.LOCK, b.lock(file, (0, 1, b.EXCLUSIVE | b.AT_ONCE), count=0xFFFF)
    yield b.LOCK, b.lock(file, count=0)
    yield b.LOCK, b.lock(file, (0, 1, b.EXCLUSIVE | b.AT_ONCE), count=2)
    for flags in (0, 3, 0xFFFFFFFF, b.UNLOCK | b.EXCLUSIVE):
        yield b.LOCK, b.lock(file, (0, 1, flags))
    for command in range(19):
        if command not in (b.CANCEL, b.LOGOFF, b.ECHO, b.TREE_DISCONNECT):
            yield command, b""
            yield command, b"\0"
            yield command, b"\xff" * 60
    yield 0x1000, b.EMPTY
    yield 0xFFFF, b.EMPTY


@attack
def buffers_outside_of_the_message(world):
    count = 0
    client = connected(world, source=world.new_source())
    file, directory = client.create("inside"), client.create("inside-too", options=b.DIRECTORY)
    for command, body in wrong_bodies(file, directory):
        assert is_refused(client, command, body), f"taken: command {command}, {body[:60].hex()}"
        count += 1
        try:
            client.must(b.ECHO, b.EMPTY)
        except (Dropped, AssertionError):
            client.close()
            client = connected(world, source=world.new_source())
            file, directory = client.create("inside"), client.create("inside-too", options=b.DIRECTORY)
    client.close()
    return f"{count} refused"


@attack
def contexts_of_a_create_that_lead_astray(world):
    """Chains that lead back, outside, or nowhere; data outside; thousands of them; one context many times."""
    long_chain = b.create_context(b"MxAc", following=32) * 2_000 + b.create_context(b"MxAc")
    chains = [b.create_context(b"MxAc", following=value) for value in (1, 4, 8, 0x1000, 0xFFFFFFF8, 0xFFFFFFFF)]
    chains += [b.create_context(b"MxAc", b"12345678", data_offset=value) for value in (0, 1, 8, 0x7FF0, 0xFFFF)]
    chains += [b.create_context(b"MxAc")[:12], b"\0", bytes(24), b"\xff" * 64]
    with connected(world, source=world.new_source()) as client:
        for index, chain in enumerate([*chains, long_chain]):
            body = b.create(f"context{index}", contexts=chain, options=b.DELETE_ON_CLOSE)
            try:
                reply = client.request(b.CREATE, body)
            except Dropped:
                client = connected(world, source=world.new_source())
                continue
            expect(reply, nt.STATUS_SUCCESS, *BAD)
            assert len(reply.raw) < 4_096, f"{len(reply.raw)} bytes are answered to a chain"


@attack
def classes_levels_and_controls_of_every_number(world):
    """Whatever is asked for by whatever number: an answer, and the connection goes on."""
    statuses = {}
    with connected(world, source=world.new_source()) as client:
        file = client.create("numbers")
        for kind in range(6):
            for info_class in range(256):
                for command, body in (
                    (b.QUERY_INFO, b.query_info(file, kind, info_class, additional=0xFFFFFFFF)),
                    (b.SET_INFO, b.set_info(file, kind, info_class, os.urandom(info_class % 48))),
                ):
                    status = hex(client.request(command, body).status)
                    statuses[status] = statuses.get(status, 0) + 1
                    if info_class in (4, 10, 11, 13, 19, 20, 64, 65, 71, 72):
                        client.request(b.CLOSE, b.close(file))
                        file = client.create("numbers")
        for low in range(0, 0x400, 4):
            for device in (0x00090000, 0x00140000, 0x00060000, 0x00110000):
                for more in (0, 3, 0x4000, 0x8000, 0xC000):
                    reply = client.request(b.IOCTL, b.ioctl(file, device | low | more, os.urandom(24)))
                    statuses[hex(reply.status)] = statuses.get(hex(reply.status), 0) + 1
        client.must(b.ECHO, b.EMPTY)
    return f"{sum(statuses.values())} answers of {len(statuses)} kinds"


@attack
def requests_with_random_bits_changed(world):
    """Well-formed requests with some bits changed, on a connection that is renewed when it breaks."""
    chance, counts = random.Random(7), {"answered": 0, "dropped": 0}
    client = None
    for _ in range(3_000):
        try:
            if client is None:
                client = connected(world, source=world.new_source(), timeout=3)
                file = client.create("bits")
                requests = [
                    (b.CREATE, b.create("bits", contexts=b.create_context(b"MxAc"))),
                    (b.READ, b.read(file)),
                    (b.WRITE, b.write(file, b"x" * 100)),
                    (b.QUERY_INFO, b.query_info(file)),
                    (b.QUERY_DIRECTORY, b.query_directory(file)),
                    (b.TREE_CONNECT, b.tree_connect("export")),
                    (b.SET_INFO, b.set_info(file, 1, 4, bytes(40))),
                    (b.IOCTL, b.ioctl(file, 0x001440F2, bytes(56))),
                    (b.LOCK, b.lock(file, (0, 1, b.SHARED | b.AT_ONCE))),
                ]
            command, body = chance.choice(requests)
            changed = bytearray(body)
            for _ in range(chance.choice((1, 1, 2, 8))):
                bit = chance.randrange(8 * len(changed))
                changed[bit // 8] ^= 1 << bit % 8
            client.request(command, bytes(changed))
            counts["answered"] += 1
        except (Dropped, TimeoutError):
            counts["dropped"] += 1
            client.close()
            client = None
    return str(counts)


@attack
def calls_of_pipes_that_are_none(world):
    """Garbage, halves, and fragments without end; pipes without end."""
    bind = (
        struct.pack("<BBBBIHHI", 5, 0, 11, 3, 0x10, 72, 0, 1)
        + struct.pack("<HHI", 4280, 4280, 0)
        + struct.pack("<I", 1)
        + struct.pack("<HBB", 0, 1, 0)
        + bytes.fromhex("c84f324b7016d30112785a47bf6ee188")
        + struct.pack("<HH", 3, 0)
        + bytes.fromhex("045d888aeb1cc9119fe808002b104860")
        + struct.pack("<I", 2)
    )
    never_last = struct.pack("<BBBBIHHIIHH", 5, 0, 0, 0, 0x10, 4280, 0, 2, 0xFFFFFFFF, 0, 15) + bytes(4256)
    garbage = [
        b"",
        b"\5",
        b"\5\0\0\3" + bytes(12),
        b"\xff" * 4096,
        os.urandom(60_000),
        bind[:40],
        bind[:8] + b"\0\0" + bind[10:],
        bind[:8] + b"\xff\xff" + bind[10:],
        bind[:24] + b"\xff" + bind[25:],
    ]
    with connected(world, share="IPC$", source=world.new_source()) as client:
        for data in garbage:
            pipe = client.create("srvsvc")
            client.request(b.WRITE, b.write(pipe, data))
            client.request(b.READ, b.read(pipe))
            client.must(b.CLOSE, b.close(pipe))
        pipe = client.create("srvsvc")
        client.must(b.WRITE, b.write(pipe, bind))
        client.must(b.READ, b.read(pipe))
        sent = 0
        while client.request(b.WRITE, b.write(pipe, never_last)).status == 0:
            sent += len(never_last)
            assert sent < 32 << 20, "a call may be as long as it likes"
        pipes = 0
        while (reply := client.request(b.CREATE, b.create("srvsvc"))).status == 0:
            pipes += 1
            assert pipes < 20_000, "no end of pipes"
        expect(reply, nt.STATUS_TOO_MANY_OPENED_FILES, nt.STATUS_INSUFFICIENT_RESOURCES)
    return f"a call of {sent >> 10} KiB, {pipes} pipes"
