"""Sessions of others, half-open ones, and the negotiation."""

import selectors
import socket
import struct
import time

import bodies as b
from client import Client, Dropped, connected, header
from harness import attack, expect
from impacket import nt_errors as nt
from logon import negotiated
from ntlm_logon import Logon, negotiate_message

GONE = nt.STATUS_USER_SESSION_DELETED


@attack
def a_new_logon_that_names_anothers_session_as_its_former(world):
    with connected(world, "alice", source=world.new_source()) as victim, negotiated(world) as client:
        expect(client.try_logon("bob", world.passwords["bob"], previous=victim.session.id), nt.STATUS_SUCCESS)
        victim.must(b.ECHO, b.EMPTY)
        victim.create("still-there", options=b.DELETE_ON_CLOSE)


@attack
def a_session_is_not_handed_to_another_user(world):
    with connected(world, "alice", source=world.new_source()) as client:
        session = client.session.id
        reply, challenge = client.first_leg(session)
        expect(
            client.second_leg(reply.session, Logon("bob", world.passwords["bob"], challenge).authenticate()),
            nt.STATUS_ACCESS_DENIED,
        )
        expect(client.request(b.CREATE, b.create("nothing")), GONE)


@attack
def a_session_is_not_bound_to_another_connection_without_its_signature(world):
    with connected(world, "alice", source=world.new_source()) as victim, negotiated(world) as client:
        body = b.session_setup(negotiate_message(), flags=1)
        message = client.message(b.SESSION_SETUP, body, session=victim.session.id, tree=0)
        client.send(message)
        expect(client.receive()[0], nt.STATUS_INVALID_PARAMETER)
        victim.must(b.ECHO, b.EMPTY)


@attack
def a_new_logon_of_a_signed_session_that_is_not_signed_by_it(world):
    """Whoever can put bytes into a connection must not end or renew its sessions."""
    with connected(world, "alice", mode=3, source=world.new_source()) as client:
        body = b.session_setup(negotiate_message(), 3)
        expect(client.request(b.SESSION_SETUP, body, sign=False), nt.STATUS_ACCESS_DENIED)
        message = client.session.keys.signed(client.message(b.SESSION_SETUP, body))
        client.send(message[:48] + bytes(16) + message[64:])
        expect(client.receive()[0], nt.STATUS_ACCESS_DENIED)
        client.must(b.ECHO, b.EMPTY)
        expect(client.request(b.SESSION_SETUP, body, sign=True), nt.STATUS_MORE_PROCESSING_REQUIRED)


@attack
def requests_without_negotiation_or_session(world):
    for command in range(19):
        with Client(world.address, world.new_source()) as client:
            try:
                reply = client.request(command, b.EMPTY, charge=0) if command != b.CANCEL else None
                assert reply is None or command == b.ECHO or reply.status != nt.STATUS_SUCCESS, f"command {command}"
            except Dropped:
                pass
    with negotiated(world) as client:
        for command in (b.TREE_CONNECT, b.CREATE, b.READ, b.LOGOFF, b.IOCTL):
            expect(client.request(command, b.EMPTY, session=0), GONE, nt.STATUS_INVALID_PARAMETER)


@attack
def a_second_negotiation(world):
    with connected(world, source=world.new_source()) as client:
        expect(
            client.request(b.NEGOTIATE, b.negotiate(dialects=(0x0202,)), session=0, tree=0), nt.STATUS_INVALID_PARAMETER
        )
        client.must(b.ECHO, b.EMPTY)


@attack
def negotiations_that_are_none(world):
    good = b.negotiate()
    bad = [
        good[:36],
        good[:2] + b"\0\0" + good[4:],
        good[:2] + b"\xff\xff" + good[4:],
        good[:28] + b"\xff\xff\xff\xff" + good[32:],
        good[:32] + b"\xff\xff" + good[34:],
        b.negotiate(dialects=(0x9999,)),
        good[:-20],
        good + bytes(60_000),
        good + bytes(100),
    ]
    for body in bad:
        with Client(world.address, world.new_source()) as client:
            client.send(client.message(b.NEGOTIATE, body, charge=0))
            try:
                client.receive()
            except Dropped:
                pass
    for first in (
        b"\xffSMB" + bytes(28),
        b"\xffSMBr" + bytes(27) + b"\0\xff\xff",
        b"\xfcSMB" + bytes(60),
        b"\xfdSMB" + bytes(60),
        b"",
        b"\0",
        b"GET / HTTP/1.1\r\n\r\n",
    ):
        with Client(world.address, world.new_source()) as client:
            client.send(first)
            assert client.is_dropped(8), f"{first[:8]} is not refused"


@attack
def ten_thousand_half_open_sessions_on_one_connection(world):
    statuses = {}
    with connected(world, source=world.new_source()) as client:
        client.earn(512)
        for _ in range(10_000):
            reply, _ = client.first_leg()
            statuses[reply.status] = statuses.get(reply.status, 0) + 1
    assert set(statuses) == {nt.STATUS_MORE_PROCESSING_REQUIRED, nt.STATUS_INSUFFICIENT_RESOURCES}, str(statuses)
    begun = statuses[nt.STATUS_MORE_PROCESSING_REQUIRED]
    assert begun < 64, f"{begun} were begun"
    return f"{begun} begun, {statuses[nt.STATUS_INSUFFICIENT_RESOURCES]} refused"


@attack
def ten_thousand_connections_with_a_half_open_session(world):
    """From 20 addresses, each held open as long as the server lets it."""
    selector, counts = selectors.DefaultSelector(), {"opened": 0, "half open": 0, "dropped": 0}
    sources = [world.new_source() for _ in range(20)]
    until, open_now, most = time.monotonic() + 60, 0, 0
    while (counts["opened"] < 10_000 or open_now) and time.monotonic() < until:
        while counts["opened"] < 10_000 and open_now < 900:
            stream = socket.socket()
            stream.bind((sources[counts["opened"] % 20], 0))
            stream.setblocking(False)
            stream.connect_ex(world.address)
            selector.register(stream, selectors.EVENT_WRITE, 0)
            counts["opened"] += 1
            open_now += 1
        for key, _ in selector.select(1):
            stream, step = key.fileobj, key.data
            try:
                if step == 0:
                    stream.send(framed(header(b.NEGOTIATE, 0, charge=0) + b.negotiate()))
                    selector.modify(stream, selectors.EVENT_READ, 1)
                    continue
                if not stream.recv(65536):
                    raise ConnectionError
                if step == 1:
                    stream.send(framed(header(b.SESSION_SETUP, 1) + b.session_setup(negotiate_message())))
                counts["half open"] += step == 2
                selector.modify(stream, selectors.EVENT_READ, step + 1)
            except OSError:
                selector.unregister(stream)
                stream.close()
                counts["dropped"] += 1
                open_now -= 1
        most = max(most, open_now)
    for key in list(selector.get_map().values()):
        key.fileobj.close()
    assert counts["dropped"] > 0
    return str(counts)


def framed(message):
    return struct.pack(">I", len(message)) + message
