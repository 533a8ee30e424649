"""More than was granted: credits, message ids, and requests in one frame."""

import struct

import bodies as b
from client import RELATED, Dropped, connected
from harness import attack, expect
from impacket import nt_errors as nt


def is_refused(client, message_id, charge=1):
    try:
        reply = client.request(b.ECHO, b.EMPTY, message_id=message_id, charge=charge)
        return reply.status != nt.STATUS_SUCCESS
    except Dropped:
        return True


@attack
def message_ids_that_were_not_granted_or_are_used(world):
    for name, choose in (
        ("used", lambda client: (client.next_id - 1, 1)),
        ("first", lambda client: (0, 1)),
        ("beyond", lambda client: (client.next_id + client.credits, 1)),
        ("far beyond", lambda client: (1 << 40, 1)),
        ("last", lambda client: (2**64 - 1, 1)),
        ("last but one, two", lambda client: (2**64 - 2, 2)),
        ("more than there are", lambda client: (client.next_id, 65535)),
        ("one too many", lambda client: (client.next_id, client.credits + 1)),
    ):
        with connected(world, source=world.new_source()) as client:
            assert is_refused(client, *choose(client)), f"{name}: taken"


@attack
def credits_asked_for_without_end(world):
    with connected(world, source=world.new_source()) as client:
        for _ in range(200):
            client.must(b.ECHO, b.EMPTY, credits=65535)
        assert client.credits <= 8192, f"{client.credits} credits"
        return f"{client.credits} credits at most"


@attack
def requests_beyond_what_their_credits_pay(world):
    with connected(world, source=world.new_source()) as client:
        file = client.create("credits")
        client.earn(300)
        for command, body, charge in (
            (b.READ, b.read(file, length=65537), 1),
            (b.READ, b.read(file, length=8 << 20), 127),
            (b.WRITE, b.write(file, bytes(65537)), 1),
            (b.WRITE, b.write(file, bytes(1 << 20)), 15),
            (b.QUERY_DIRECTORY, b.query_directory(file, most=65537), 1),
            (b.QUERY_INFO, b.query_info(file, most=65537), 1),
            (b.IOCTL, b.ioctl(file, 0x00140078, most=65537), 1),
            (b.READ, b.read(file, length=65537), 0),
        ):
            expect(client.request(command, body, charge=charge), nt.STATUS_INVALID_PARAMETER)
        client.must(b.WRITE, b.write(file, bytes(1 << 20)), charge=16)


@attack
def compounds_of_thousands(world):
    """A frame has 64 requests at most: one of more ends the connection, before any is carried out."""
    for count in (65, 1000, 5000):
        with connected(world, source=world.new_source()) as client:
            client.earn(min(count, 8000) + 8)
            for _ in range(20):
                client.must(b.ECHO, b.EMPTY, credits=512)
            try:
                replies = client.compound([(b.CREATE, b.create(f"many{count}"))] + [(b.ECHO, b.EMPTY)] * (count - 1))
                raise AssertionError(f"{count}: {len(replies)} answers")
            except Dropped:
                pass
        with connected(world, source=world.new_source()) as client:
            expect(
                client.request(b.CREATE, b.create(f"many{count}", disposition=b.OPEN)), nt.STATUS_OBJECT_NAME_NOT_FOUND
            )
    with connected(world, source=world.new_source()) as client:
        client.earn(80)
        replies = client.compound([(b.ECHO, b.EMPTY)] * 64, related=False)
        assert [reply.status for reply in replies] == [0] * 64


@attack
def compounds_of_reads_that_ask_for_half_a_gibibyte(world):
    """The room for the answers is more than there is for all clients."""
    with connected(world, source=world.new_source(), timeout=60) as client:
        file = client.create("large")
        client.earn(8192)
        for at in range(8):
            client.must(b.WRITE, b.write(file, bytes(1 << 20), offset=at << 20), charge=16)
        client.earn(8192)
        total = 0
        try:
            replies = client.compound([(b.READ, b.read(file, length=8 << 20), 128)] * 60, related=False)
            total = sum(len(reply.raw) for reply in replies)
        except Dropped:
            return "the connection ends"
        return f"{total >> 20} MiB were answered"


@attack
def compounds_that_lead_astray(world):
    """Lengths to the next request that lead back, outside, between eight bytes, or nowhere."""
    for following in (1, 8, 63, 65, 71, 0x1000, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFF):
        with connected(world, source=world.new_source()) as client:
            first = client.message(b.ECHO, b.EMPTY + bytes(4), following=following)
            client.send(first + client.message(b.ECHO, b.EMPTY))
            try:
                replies = client.receive()
                assert following != 72 and all(reply.status != 0 for reply in replies), f"{following:#x} is carried out"
            except Dropped:
                pass
    with connected(world, source=world.new_source()) as client:
        # The first is related to nothing.
        message = client.message(b.CREATE, b.create("astray"), flags=RELATED)
        client.send(message)
        expect(client.receive()[0], nt.STATUS_INVALID_PARAMETER)
        # Those behind one that fails fail with it.
        replies = client.compound(
            [
                (b.CREATE, b.create("none", disposition=b.OPEN)),
                (b.READ, b.read(b.RELATED_FILE)),
                (b.CLOSE, b.close(b.RELATED_FILE)),
            ]
        )
        for reply in replies:
            expect(reply, nt.STATUS_OBJECT_NAME_NOT_FOUND)


@attack
def cancels_without_end(world):
    """A CANCEL costs no credit, and is not answered."""
    with connected(world, source=world.new_source()) as client:
        cancel = client.message(b.CANCEL, b.EMPTY, message_id=1 << 50)
        frame = struct.pack(">I", len(cancel)) + cancel
        for _ in range(100):
            client.send_bytes(frame * 500)
        client.must(b.ECHO, b.EMPTY)
    return "50,000 were taken"
