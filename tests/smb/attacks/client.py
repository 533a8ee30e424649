"""A small client of SMB 3.1.1 that does as it is told, also what no client may do."""

import hashlib
import socket
import struct
import time

import bodies as b
from crypto import SEALED, Keys
from impacket import nt_errors as nt
from ntlm_logon import Logon, negotiate_message

HEADER = struct.Struct("<4sHHIHHIIQIIQ16s")
RELATED, SIGNED, ASYNC = 4, 8, 2


class Dropped(Exception):
    """The server has closed the connection."""


class Reply:
    def __init__(self, raw):
        (
            _,
            _,
            self.charge,
            self.status,
            self.command,
            self.credits,
            self.flags,
            self.next,
            self.message_id,
            self.process,
            self.tree,
            self.session,
            self.signature,
        ) = HEADER.unpack_from(raw)
        self.async_id = self.process | self.tree << 32
        self.raw, self.body = raw, raw[64:]

    @property
    def is_pending(self):
        return self.status == nt.STATUS_PENDING


class Session:
    def __init__(self, ident):
        self.id, self.keys = ident, None

    @staticmethod
    def of(ident, key, preauth):
        session = Session(ident)
        session.keys = Keys(key, preauth)
        return session


def header(command, message_id, *, charge=1, credits=64, flags=0, following=0, tree=0, session=0):
    return HEADER.pack(
        b"\xfeSMB", 64, charge, 0, command, credits, flags, following, message_id, 0xFEFF, tree, session, bytes(16)
    )


class Client:
    """A connection, and the session that was set up last."""

    def __init__(self, address, source=None, timeout=20):
        self.socket = socket.create_connection(address, timeout, source_address=source and (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port, self.own_port = address[1], self.socket.getsockname()[1]
        self.next_id, self.credits = 0, 1
        self.preauth = self.setup_hash = bytes(64)
        self.session, self.tree, self.seals, self.signs = None, 0, False, False
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    # Frames

    def send_bytes(self, data):
        try:
            self.socket.sendall(data)
        except (ConnectionError, BrokenPipeError) as error:
            raise Dropped from error

    def send(self, message):
        self.send_bytes(struct.pack(">I", len(message)) + message)

    def receive_bytes(self, count):
        while len(self.received) < count:
            try:
                part = self.socket.recv(1 << 18)
            except ConnectionError as error:
                raise Dropped from error
            if not part:
                raise Dropped
            self.received += part
        data, self.received = self.received[:count], self.received[count:]
        return data

    def receive(self):
        """The replies of the next frame."""
        (length,) = struct.unpack(">I", self.receive_bytes(4))
        message = self.receive_bytes(length)
        if message[:4] == SEALED:
            message = self.session.keys.opened(message)
        replies, rest = [], message
        while rest:
            (following,) = struct.unpack_from("<I", rest, 20)
            replies.append(Reply(rest[: following or None]))
            rest = rest[following:] if following else b""
        for reply in replies:
            self.credits += reply.credits
        return replies

    def is_dropped(self, timeout=10):
        """Whether the server closes the connection within so many seconds, whatever it says before."""
        until = time.monotonic() + timeout
        try:
            while True:
                self.socket.settimeout(max(0.001, until - time.monotonic()))
                self.receive()
        except Dropped:
            return True
        except TimeoutError:
            return False

    # Messages

    def take_ids(self, charge=1):
        first = self.next_id
        self.next_id += max(charge, 1)
        self.credits -= max(charge, 1)
        return first

    def message(self, command, body, *, message_id=None, charge=1, tree=None, session=None, **fields):
        message_id = self.take_ids(charge) if message_id is None else message_id
        tree = self.tree if tree is None else tree
        session = (self.session.id if self.session else 0) if session is None else session
        return header(command, message_id, charge=charge, tree=tree, session=session, **fields) + body

    def secure(self, message, sign=None, seal=None):
        if self.seals if seal is None else seal:
            return self.session.keys.sealed(message, self.session.id)
        if self.signs if sign is None else sign:
            return self.session.keys.signed(message)
        return message

    def start(self, command, body, *, sign=None, seal=None, **fields):
        """Sends a request, and does not wait for the answer. Returns its message id."""
        message = self.message(command, body, **fields)
        self.send(self.secure(message, sign, seal))
        return struct.unpack_from("<Q", message, 24)[0]

    def answer(self, message_id, takes_pending=False):
        while True:
            for reply in self.receive():
                if reply.message_id == message_id and (takes_pending or not reply.is_pending):
                    return reply

    def request(self, command, body, *, takes_pending=False, **fields):
        return self.answer(self.start(command, body, **fields), takes_pending)

    def compound(self, requests, *, related=True, sign=None, seal=None, credits=64):
        """Sends requests, (command, body) or (command, body, charge), in one frame. Returns its replies."""
        messages = []
        for index, (command, body, *charge) in enumerate(requests):
            is_last = index + 1 == len(requests)
            body += bytes(0 if is_last else -len(body) % 8)
            flags = RELATED if related and index else 0
            message = self.message(
                command,
                body,
                charge=charge[0] if charge else 1,
                flags=flags,
                credits=credits,
                following=0 if is_last else 64 + len(body),
            )
            signs = not self.seals and (self.signs if sign is None else sign)
            messages.append(self.session.keys.signed(message) if signs else message)
        frame = b"".join(messages)
        seals = self.seals if seal is None else seal
        self.send(self.session.keys.sealed(frame, self.session.id) if seals else frame)
        return self.receive()

    # Steps of everyday work

    def negotiate(self, mode=1, **options):
        message = self.message(b.NEGOTIATE, b.negotiate(mode=mode, **options), charge=0)
        self.mode = mode
        self.note(message)
        self.send(message)
        (reply,) = self.receive()
        self.note(reply.raw)
        return reply

    def note(self, message):
        self.preauth = hashlib.sha512(self.preauth + message).digest()

    def first_leg(self, session=None, mode=None):
        """The first SESSION_SETUP: returns the reply and NTLM's challenge."""
        body = b.session_setup(negotiate_message(), self.mode if mode is None else mode)
        message = self.message(b.SESSION_SETUP, body, session=session or 0, tree=0)
        self.setup_hash = hashlib.sha512(self.preauth + message).digest()
        self.send(message)
        (reply,) = self.receive()
        self.setup_hash = hashlib.sha512(self.setup_hash + reply.raw).digest()
        return reply, token_of(reply)

    def second_leg(self, session, token, previous=0, **fields):
        body = b.session_setup(token, self.mode, previous)
        message = self.message(b.SESSION_SETUP, body, session=session, tree=0, **fields)
        self.setup_hash = hashlib.sha512(self.setup_hash + message).digest()
        self.send(message)
        return self.receive()[0]

    def try_logon(self, user, password, alter=lambda logon: None, previous=0):
        """Logs on, altered by a function. Returns the last reply."""
        reply, challenge = self.first_leg()
        if reply.status != nt.STATUS_MORE_PROCESSING_REQUIRED:
            return reply
        logon = Logon(user, password, challenge)
        alter(logon)
        last = self.second_leg(reply.session, logon.authenticate(), previous)
        if last.status == nt.STATUS_SUCCESS:
            self.session = Session.of(reply.session, logon.session_key, self.setup_hash)
            expected = self.session.keys.signature(last.raw, of_server=True)
            assert last.signature == expected, "the answer to the logon is not signed by the session's key"
        return last

    def must(self, command, body, **fields):
        reply = self.request(command, body, **fields)
        assert reply.status == nt.STATUS_SUCCESS, f"command {command}: status {reply.status:#x}"
        return reply

    def connect_tree(self, share):
        self.tree = self.must(b.TREE_CONNECT, b.tree_connect(share), tree=0).tree
        return self.tree

    def create(self, name, **options):
        return file_of(self.must(b.CREATE, b.create(name, **options)))

    def earn(self, credits):
        """Asks for credits until there are so many, or no more."""
        for _ in range(64):
            if self.credits >= credits:
                return
            self.must(b.ECHO, b.EMPTY, credits=512)


def token_of(reply):
    offset, length = struct.unpack_from("<HH", reply.body, 4)
    return reply.raw[offset : offset + length]


def file_of(reply):
    """The id of the file that a CREATE has opened."""
    return reply.body[64:80]


def connected(world, user="alice", share="export", *, source=None, mode=1, seals=False, address=None, timeout=20):
    """A client that is logged on, in a share."""
    client = Client(address or world.address, source, timeout)
    client.negotiate(mode)
    last = client.try_logon(user, world.passwords[user])
    assert last.status == nt.STATUS_SUCCESS, f"logon of {user}: status {last.status:#x}"
    client.signs, client.seals = mode == 3 and not seals, seals
    if share:
        client.connect_tree(share)
    return client
