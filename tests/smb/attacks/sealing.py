"""Messages that somebody between has altered, repeated or laid bare; terms that were weakened on their way."""

import struct

import bodies as b
from client import Client, Dropped, Session, connected, file_of
from crypto import SEALED
from harness import attack, expect
from impacket import nt_errors as nt
from logon import flip
from ntlm_logon import Logon


@attack
def altered_signed_messages(world):
    """Every byte of the header but the signature's own, of the body, and the signature: none is carried out."""
    with connected(world, mode=3, source=world.new_source()) as client:
        directory = client.create("signed", options=b.DIRECTORY)
        refused = 0
        for at in [*range(4, 6), *range(20, 32), *range(40, 90)]:
            message = client.message(b.CREATE, b.create("signed\\made"))
            message = client.session.keys.signed(message)
            try:
                client.send(flip(message, 8 * at + at % 8))
                # Another id or command may leave it without an answer of its own.
                client.socket.settimeout(5)
                for reply in client.receive():
                    assert reply.status != nt.STATUS_SUCCESS, f"carried out with byte {at} altered"
            except (Dropped, TimeoutError):
                client = connected(world, mode=3, source=world.new_source())
                directory = client.create("signed", options=b.DIRECTORY)
            refused += 1
        expect(client.request(b.QUERY_DIRECTORY, b.query_directory(directory, "made")), nt.STATUS_NO_SUCH_FILE)
    return f"{refused} refused"


@attack
def messages_without_a_signature_where_it_is_required(world):
    with connected(world, mode=3, source=world.new_source()) as client:
        for command, body in (
            (b.CREATE, b.create("unsigned")),
            (b.TREE_CONNECT, b.tree_connect("export")),
            (b.LOGOFF, b.EMPTY),
            (b.TREE_DISCONNECT, b.EMPTY),
            (b.ECHO, b.EMPTY),
        ):
            expect(client.request(command, body, sign=False), nt.STATUS_ACCESS_DENIED)
        # Nor hidden behind one that is signed.
        first, second = client.compound([(b.ECHO, b.EMPTY), (b.ECHO, b.EMPTY)], related=False)
        expect(first, nt.STATUS_SUCCESS)
        expect(second, nt.STATUS_SUCCESS)
        messages = [
            client.message(b.ECHO, b.EMPTY + bytes(4), following=72),
            client.message(b.CREATE, b.create("unsigned")),
        ]
        client.send(client.session.keys.signed(messages[0]) + messages[1])
        first, second = client.receive()
        expect(second, nt.STATUS_ACCESS_DENIED)
        expect(client.request(b.CREATE, b.create("unsigned", disposition=b.OPEN)), nt.STATUS_OBJECT_NAME_NOT_FOUND)


@attack
def a_signed_message_sent_twice(world):
    with connected(world, mode=3, source=world.new_source()) as client:
        message = client.session.keys.signed(client.message(b.ECHO, b.EMPTY))
        client.send(message)
        expect(client.receive()[0], nt.STATUS_SUCCESS)
        client.send(message)
        assert client.is_dropped(5), "answered twice"


@attack
def altered_encrypted_messages(world):
    """A bit of each byte of the header of the transform, and of some of the text: the connection ends unanswered."""
    altered = 0
    for at in [*range(4, 52), 52, 60, 100, 115]:
        with connected(world, seals=True, source=world.new_source()) as client:
            message = client.session.keys.sealed(client.message(b.ECHO, b.EMPTY + bytes(60)), client.session.id)
            # The nonce of GCM has 12 bytes, and the four behind mean nothing; but they are authenticated.
            client.send(flip(message, 8 * at + at % 8))
            try:
                replies = client.receive()
                raise AssertionError(f"byte {at} altered: status {replies[0].status:#x}")
            except Dropped:
                altered += 1
    return f"{altered} connections ended"


@attack
def encrypted_messages_cut_short_or_of_no_session(world):
    with connected(world, seals=True, source=world.new_source()) as client:
        message = client.session.keys.sealed(client.message(b.ECHO, b.EMPTY), client.session.id)
    for broken in (
        message[:51],
        message[:52],
        message[:-1],
        message + b"\0",
        message[:44] + struct.pack("<Q", 99) + message[52:],
        SEALED,
        SEALED + bytes(48),
        SEALED + b"\xff" * 2_000,
    ):
        with connected(world, seals=True, source=world.new_source()) as client:
            client.send(broken)
            assert client.is_dropped(5), f"{len(broken)} bytes: the connection goes on"


@attack
def an_encrypted_message_sent_twice(world):
    with connected(world, seals=True, source=world.new_source()) as client:
        message = client.session.keys.sealed(client.message(b.ECHO, b.EMPTY), client.session.id)
        client.send(message)
        expect(client.receive()[0], nt.STATUS_SUCCESS)
        client.send(message)
        assert client.is_dropped(5), "answered twice"


@attack
def a_message_sealed_by_one_session_for_another(world):
    """Two users behind one connection, as a terminal server has them."""
    with connected(world, "alice", seals=True, source=world.new_source()) as client:
        alice, tree = client.session, client.tree
        file = client.create("of-alice", options=b.DELETE_ON_CLOSE)
        expect(client.try_logon("bob", world.passwords["bob"]), nt.STATUS_SUCCESS)
        bob = client.session
        for command, body in ((b.CREATE, b.create("forged")), (b.READ, b.read(file)), (b.LOGOFF, b.EMPTY)):
            message = client.message(command, body, session=alice.id, tree=tree)
            client.send(bob.keys.sealed(message, bob.id))
            expect(client.receive()[0], nt.STATUS_ACCESS_DENIED)
        client.session = alice
        client.must(b.CLOSE, b.close(file))


@attack
def plain_messages_where_encryption_is_required(world):
    with connected(world, address=world.sealed_address, seals=True, source=world.new_source()) as client:
        client.create("sealed")
        for sign in (False, True):
            for command, body in (
                (b.CREATE, b.create("plain")),
                (b.TREE_CONNECT, b.tree_connect("export")),
                (b.ECHO, b.EMPTY),
                (b.LOGOFF, b.EMPTY),
            ):
                expect(client.request(command, body, seal=False, sign=sign), nt.STATUS_ACCESS_DENIED)
        expect(client.request(b.CREATE, b.create("plain", disposition=b.OPEN)), nt.STATUS_OBJECT_NAME_NOT_FOUND)


@attack
def plain_messages_to_a_share_that_demands_encryption(world):
    """The session demands none. Neither alone nor in a compound, nor behind the request that connects, nor beside what is
    sealed for the same share; what another share has open leads nowhere there."""
    with connected(world, "root", mode=3, source=world.new_source()) as client:
        elsewhere = client.create("open", disposition=b.OPEN_IF)
        plain = client.tree
        reply = client.must(b.TREE_CONNECT, b.tree_connect("secret"), tree=0)
        client.tree = reply.tree
        (flags,) = struct.unpack_from("<I", reply.body, 4)
        assert flags & 0x8000, "the client is not told that it has to encrypt"
        file = file_of(client.must(b.CREATE, b.create("sealed"), seal=True))
        client.must(b.WRITE, b.write(file, b"secret"), seal=True)
        for command, body in (
            (b.CREATE, b.create("plain")),
            (b.READ, b.read(file)),
            (b.WRITE, b.write(file, b"forged")),
            (b.QUERY_INFO, b.query_info(file)),
            (b.CLOSE, b.close(file)),
            (b.TREE_DISCONNECT, b.EMPTY),
        ):
            expect(client.request(command, body), nt.STATUS_ACCESS_DENIED)
        for reply in client.compound([(b.CREATE, b.create("plain")), (b.READ, b.read(b.RELATED_FILE))]):
            assert reply.status != nt.STATUS_SUCCESS, "carried out in a compound"
        _, behind = client.compound([(b.TREE_CONNECT, b.tree_connect("secret")), (b.CREATE, b.create("plain"))])
        expect(behind, nt.STATUS_ACCESS_DENIED)
        expect(client.request(b.READ, b.read(file), tree=plain), nt.STATUS_FILE_CLOSED)
        client.must(b.READ, b.read(elsewhere, length=0), tree=plain)
        reply = client.must(b.READ, b.read(file), seal=True)
        assert reply.raw[reply.body[2] :] == b"secret", "the content has changed"
        reply = client.request(b.CREATE, b.create("plain", disposition=b.OPEN), seal=True)
        expect(reply, nt.STATUS_OBJECT_NAME_NOT_FOUND)
    for dialects, capabilities in (((0x0202,), 0x7F), ((0x0210,), 0x7F), ((0x0300, 0x0302), 0x3F)):
        with Client(world.address, world.new_source()) as client:
            client.negotiate(dialects=dialects, capabilities=capabilities)
            reply, challenge = client.first_leg()
            logon = Logon("alice", world.passwords["alice"], challenge)
            expect(client.second_leg(reply.session, logon.authenticate()), nt.STATUS_SUCCESS)
            client.session = Session(reply.session)
            client.connect_tree("export")
            expect(client.request(b.TREE_CONNECT, b.tree_connect("secret"), tree=0), nt.STATUS_ACCESS_DENIED)


@attack
def dialects_without_encryption_where_it_is_required(world):
    for dialects, capabilities in (((0x0202,), 0x7F), ((0x0210,), 0x7F), ((0x0300, 0x0302), 0x3F)):
        with Client(world.sealed_address, world.new_source()) as client:
            reply = client.negotiate(dialects=dialects, capabilities=capabilities)
            if reply.status == nt.STATUS_SUCCESS:
                reply, challenge = client.first_leg()
                logon = Logon("alice", world.passwords["alice"], challenge)
                expect(client.second_leg(reply.session, logon.authenticate()), nt.STATUS_ACCESS_DENIED)
                expect(
                    client.request(b.TREE_CONNECT, b.tree_connect("export"), session=reply.session),
                    nt.STATUS_USER_SESSION_DELETED,
                )


@attack
def a_changed_negotiation_leaves_other_keys(world):
    """Somebody between has weakened what the client offers: its signatures are worth nothing then."""
    with Client(world.address, world.new_source()) as client:
        client.negotiate()
        client.preauth = bytes(64)
        reply, challenge = client.first_leg()
        logon = Logon("alice", world.passwords["alice"], challenge)
        expect(client.second_leg(reply.session, logon.authenticate()), nt.STATUS_SUCCESS)
        client.session = Session.of(reply.session, logon.session_key, client.setup_hash)
        expect(client.request(b.TREE_CONNECT, b.tree_connect("export"), sign=True), nt.STATUS_ACCESS_DENIED)


@attack
def a_negotiation_that_is_validated_wrongly(world):
    """Dialects, capabilities, mode and number of the client must be those of the negotiation."""
    right = (0x7F, b"c" * 16, 1, (0x0210,))
    for at, wrong in ((0, 0x3F), (1, b"d" * 16), (2, 3), (3, (0x0210, 0x0311)), (3, ()), (None, None)):
        claims = list(right)
        if at is not None:
            claims[at] = wrong
        with Client(world.address, world.new_source()) as client:
            client.negotiate(dialects=(0x0210,))
            reply, challenge = client.first_leg()
            logon = Logon("alice", world.passwords["alice"], challenge)
            expect(client.second_leg(reply.session, logon.authenticate()), nt.STATUS_SUCCESS)
            client.session = Session(reply.session)
            client.connect_tree("IPC$")
            capabilities, guid, mode, dialects = claims
            claimed = struct.pack("<I16sHH", capabilities, guid, mode, len(dialects))
            body = b.ioctl(b"\xff" * 16, 0x00140204, claimed + struct.pack(f"<{len(dialects)}H", *dialects))
            if at is None:
                client.must(b.IOCTL, body)
            else:
                client.start(b.IOCTL, body)
                assert client.is_dropped(5), f"the connection goes on with {claims}"
