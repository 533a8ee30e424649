"""Attacks by clients as they are sold: impacket and smbprotocol. And by who stands between one and the server."""

import functools
import socket
import struct
import threading
import uuid

from harness import attack
from impacket import ntlm, smbconnection
from smbprotocol.connection import Connection, Dialects
from smbprotocol.exceptions import SMBException
from smbprotocol.session import Session
from smbprotocol.tree import TreeConnect


def impacket_logs_on(world, user, password):
    host, port = world.address
    try:
        client = smbconnection.SMBConnection("server", host, sess_port=port, preferredDialect=0x0300, timeout=10)
        client.login(user, password)
        client.connectTree("export")
        return True
    except (smbconnection.SessionError, ConnectionError):
        return False


@attack
def impacket_with_wrong_and_without_passwords(world):
    assert impacket_logs_on(world, "bob", world.passwords["bob"]), "the right password is refused"
    for user, password in (
        ("bob", "wrong"),
        ("bob", ""),
        ("", ""),
        ("guest", ""),
        ("nobody", "x"),
        ("bob", "bob-passworD"),
    ):
        assert not impacket_logs_on(world, user, password), f"{user!r} got in with {password!r}"


@attack
def impacket_with_ntlm_version_1(world):
    """The right password, proved as it was done until 1998."""
    version_2 = ntlm.getNTLMSSPType3
    ntlm.getNTLMSSPType3 = functools.partial(version_2, use_ntlmv2=False)
    try:
        assert not impacket_logs_on(world, "bob", world.passwords["bob"]), "it got in"
    finally:
        ntlm.getNTLMSSPType3 = version_2


class Impatient(Connection):
    """By itself it waits for ever for an answer on a connection that the server has closed."""

    def receive(self, request, wait=True, timeout=None, resolve_symlinks=True):
        return super().receive(request, wait, timeout or 3, resolve_symlinks)


def smbprotocol_logs_on(address, user, password, dialect=None, encrypts=False):
    connection = Impatient(uuid.uuid4(), *address)
    try:
        connection.connect(dialect, timeout=10)
        session = Session(connection, user, password, require_encryption=encrypts)
        session.connect()
        TreeConnect(session, rf"\\{address[0]}\export").connect()
        return True
    finally:
        connection.disconnect(close=True)


def is_refused(*arguments, **options):
    try:
        return not smbprotocol_logs_on(*arguments, **options)
    except (SMBException, OSError, ValueError):
        return True


@attack
def smbprotocol_with_wrong_and_without_passwords(world):
    assert smbprotocol_logs_on(world.address, "bob", world.passwords["bob"]), "the right password is refused"
    for user, password in (("bob", "wrong"), ("guest", "guest"), ("nobody", "x")):
        assert is_refused(world.address, user, password), f"{user!r} got in with {password!r}"


class Between:
    """Passes on what two sides say, and changes the client's first message, or the server's."""

    def __init__(self, address, alter_request=lambda message: message, alter_reply=lambda message: message):
        self.server, self.alter = address, (alter_request, alter_reply)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.server)
            except OSError:
                return
            for ends, alter in (((client, server), self.alter[0]), ((server, client), self.alter[1])):
                threading.Thread(target=self.pump, args=(*ends, alter), daemon=True).start()

    @staticmethod
    def pump(source, target, alter):
        first = True
        try:
            while data := source.recv(1 << 16):
                target.sendall(alter(data) if first else data)
                first = False
        except OSError:
            pass
        source.close()
        target.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def only_2_1(data):
    """Leaves SMB 2.1 of the dialects that are offered."""
    count = struct.unpack_from("<H", data, 4 + 64 + 2)[0]
    at = 4 + 64 + 36
    return data[:at] + struct.pack("<H", 0x0210) * count + data[at + 2 * count :]


def only_3_0(data):
    count = struct.unpack_from("<H", data, 4 + 64 + 2)[0]
    at = 4 + 64 + 36
    return data[:at] + struct.pack("<H", 0x0300) * count + data[at + 2 * count :]


def without_capabilities(data):
    return data[: 4 + 64 + 8] + bytes(4) + data[4 + 64 + 12 :]


def signing_is_not_required(data):
    return data[: 4 + 64 + 4] + b"\1\0" + data[4 + 64 + 6 :]


def changed_salt(data):
    """A byte of the salt, which is in the last of what a NEGOTIATE has."""
    return data[:-1] + bytes([data[-1] ^ 1])


@attack
def weakened_offers_between_client_and_server(world):
    """The client must notice, by what the server answers truly: by FSCTL_VALIDATE_NEGOTIATE_INFO, or by other keys."""
    password = world.passwords["bob"]
    with Between(world.address) as between:
        assert smbprotocol_logs_on(between.address, "bob", password), "unaltered, it does not work either"
    with Between(world.address) as between:
        assert smbprotocol_logs_on(between.address, "bob", password, Dialects.SMB_3_0_2), "3.0.2 does not work either"
    for alter in (only_2_1, only_3_0, without_capabilities, signing_is_not_required, changed_salt):
        with Between(world.address, alter_request=alter) as between:
            assert is_refused(between.address, "bob", password), f"{alter.__name__}: nobody has noticed"
    for alter in (without_capabilities, signing_is_not_required):
        with Between(world.address, alter_request=alter) as between:
            assert is_refused(between.address, "bob", password, dialect=Dialects.SMB_3_0_2), f"{alter.__name__}, 3.0.2"
    with Between(world.address, alter_reply=changed_salt) as between:
        assert is_refused(between.address, "bob", password), "a changed answer: nobody has noticed"
