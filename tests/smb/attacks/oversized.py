"""Lengths beyond all bounds: of frames, and of what requests ask for."""

import struct

import bodies as b
from client import Client, Dropped, connected, file_of
from harness import attack, expect
from impacket import nt_errors as nt

LARGE = 8 << 20
BAD = (nt.STATUS_INVALID_PARAMETER,)


@attack
def frames_that_promise_more_than_there_may_be(world):
    """Nothing is waited for, and no room is made: the connection ends at the length."""
    for length in (LARGE + (64 << 10) + 1, 0xFFFFFF):
        with connected(world, source=world.new_source()) as client:
            client.send_bytes(struct.pack(">I", length))
            assert client.is_dropped(3), f"{length} bytes are waited for"
    # The first byte of four is no part of the length.
    for first in (0x01, 0x81, 0xFF):
        with connected(world, source=world.new_source()) as client:
            client.send_bytes(struct.pack(">I", first << 24 | 64))
            assert client.is_dropped(3), f"{first:#x} is taken"
    for length in ((64 << 10) + 1, LARGE):
        with Client(world.address, world.new_source()) as client:
            client.send_bytes(struct.pack(">I", length))
            assert client.is_dropped(3), f"{length} bytes of a stranger are waited for"


@attack
def reads_and_writes_beyond_eight_mebibytes(world):
    with connected(world, source=world.new_source(), timeout=60) as client:
        file = client.create("bounds")
        client.earn(300)
        client.must(b.WRITE, b.write(file, bytes(LARGE)), charge=128)
        client.earn(300)
        length = len(client.must(b.READ, b.read(file, length=LARGE), charge=128).raw)
        assert length == LARGE + 80, f"{length} bytes are answered"
        client.earn(300)
        for command, body in (
            (b.READ, b.read(file, length=LARGE + 1)),
            (b.WRITE, b.write(file, bytes(LARGE + 1))),
            (b.READ, b.read(file, length=0xFFFFFFFF)),
            (b.READ, b.read(file, length=0x80000000)),
            (b.QUERY_DIRECTORY, b.query_directory(file, most=0xFFFFFFFF)),
            (b.QUERY_INFO, b.query_info(file, most=0xFFFFFFFF)),
            (b.IOCTL, b.ioctl(file, 0x00140078, most=0xFFFFFFFF)),
            (b.IOCTL, b.ioctl(file, 0x00140078, most_input=0xFFFFFFFF, most=0xFFFFFFFF)),
        ):
            client.earn(300)
            expect(client.request(command, body, charge=129), *BAD)
        for length in (0xFFFFFFFF, 0x80000000, 65536, 2):
            expect(client.request(b.WRITE, b.write(file, b"x", length=length)), *BAD)


@attack
def places_of_files_that_there_are_not(world):
    """Offsets and lengths about 2 to the power of 63, and of 64."""
    with connected(world, source=world.new_source()) as client:
        file = client.create("places")
        client.must(b.WRITE, b.write(file, b"kept"))
        for offset in (1 << 63, 2**64 - 1, 2**64 - 2, (1 << 63) - 1):
            expect(
                client.request(b.READ, b.read(file, offset=offset)), nt.STATUS_INVALID_PARAMETER, nt.STATUS_END_OF_FILE
            )
            expect(
                client.request(b.WRITE, b.write(file, b"beyond", offset=offset)),
                nt.STATUS_INVALID_PARAMETER,
                nt.STATUS_DISK_FULL,
            )
        # What append-only opens mean by it, to others is no place.
        for info_class in (20, 19):
            for size in (1 << 63, 2**64 - 1, (1 << 63) - 1):
                expect(
                    client.request(b.SET_INFO, b.set_info(file, 1, info_class, struct.pack("<Q", size))),
                    nt.STATUS_INVALID_PARAMETER,
                    nt.STATUS_DISK_FULL,
                    nt.STATUS_FILE_TOO_LARGE,
                    nt.STATUS_SUCCESS,
                )
        for begin, end in ((2**64 - 1, 0), (5, 1), (0, 2**64 - 1), (1 << 63, (1 << 63) + 1)):
            expect(
                client.request(b.IOCTL, b.ioctl(file, 0x000980C8, struct.pack("<QQ", begin, end))),
                nt.STATUS_INVALID_PARAMETER,
            )
        for first, length in ((2**64 - 1, 2), (2, 2**64 - 1)):
            expect(
                client.request(b.LOCK, b.lock(file, (first, length, b.EXCLUSIVE | b.AT_ONCE))),
                nt.STATUS_INVALID_LOCK_RANGE,
            )
        reply = client.must(b.READ, b.read(file, length=4))
        assert reply.raw[reply.body[2] :] == b"kept", "the content has changed"


@attack
def copies_of_all_there_is(world):
    """COPYCHUNK with more chunks, and longer ones, than a server copies at once."""
    with connected(world, source=world.new_source()) as client:
        source, target = client.create("from"), client.create("to")
        client.must(b.WRITE, b.write(source, bytes(65536)))
        reply = client.must(b.IOCTL, b.ioctl(source, 0x00140078))
        offset = struct.unpack_from("<I", reply.body, 32)[0]
        key = reply.raw[offset : offset + 24]

        def copied(count, *chunks, key=key):
            listed = b"".join(struct.pack("<QQII", *chunk, 0) for chunk in chunks)
            return client.request(b.IOCTL, b.ioctl(target, 0x001440F2, key + struct.pack("<II", count, 0) + listed))

        expect(copied(1, (0, 0, 65536)), nt.STATUS_SUCCESS)
        for count, chunk in (
            (0xFFFFFFFF, (0, 0, 1)),
            (257, (0, 0, 1)),
            (2, (0, 0, 1)),
            (1, (0, 0, 0xFFFFFFFF)),
            (1, (0, 0, 0)),
            (1, (0, 0, (1 << 20) + 1)),
        ):
            expect(copied(count, chunk), nt.STATUS_INVALID_PARAMETER)
        expect(copied(1, (2**64 - 1, 0, 1)), nt.STATUS_INVALID_PARAMETER, nt.STATUS_INVALID_VIEW_SIZE)
        expect(copied(1, (0, 2**64 - 1, 1)), nt.STATUS_INVALID_PARAMETER, nt.STATUS_DISK_FULL)
        for wrong in (bytes(24), b"\xff" * 24, key[:-16] + b"\xff" * 16, key[:8] + bytes(16)):
            status = copied(1, (0, 0, 1), key=wrong).status
            assert wrong[:16] == key[:16] or status == nt.STATUS_OBJECT_NAME_NOT_FOUND, f"{status:#x}"


PATTERNS = ("*?" * 500 + "b", "*a" * 255 + "b", "<a" * 500, "*" * 1024, ">" * 1024, "<>*" * 340 + "b", "*a" * 600)


@attack
def patterns_that_are_slow_to_compare(world):
    """With long names, and with wildcards that leave all open: others on the same core must not wait for that."""
    with connected(world, source=world.new_source(), timeout=60) as client:
        client.must(b.CLOSE, b.close(client.create("patterns", options=b.DIRECTORY)))
        client.earn(300)
        for index in range(0, 2000, 100):
            for number in range(index, index + 100):
                client.start(b.CREATE, b.create(f"patterns\\{'a' * 240}{number}", access=0x80))
            for reply in [client.receive()[0] for _ in range(100)]:
                client.must(b.CLOSE, b.close(file_of(reply)))

    # On every core.
    clients = [connected(world, source=world.new_source(), timeout=60) for _ in range(8)]
    try:
        directories = [client.create("patterns", options=b.DIRECTORY) for client in clients]
        for pattern in PATTERNS:
            asked = [
                client.start(b.QUERY_DIRECTORY, b.query_directory(directory, pattern, 12, flags=0x11))
                for client, directory in zip(clients, directories)
            ]
            for client, ident in zip(clients, asked):
                expect(client.answer(ident), nt.STATUS_SUCCESS, nt.STATUS_NO_SUCH_FILE, nt.STATUS_OBJECT_NAME_INVALID)
    finally:
        for client in clients:
            client.close()


@attack
def frames_of_strangers_as_large_as_they_may_be(world):
    """Many of them at once, each half sent."""
    clients = []
    try:
        for _ in range(200):
            client = Client(world.address, world.new_source())
            clients.append(client)
            client.send_bytes(struct.pack(">I", 64 << 10) + bytes(60 << 10))
    except (Dropped, ConnectionError):
        pass
    finally:
        for client in clients:
            client.close()
    return f"{len(clients)} frames"
