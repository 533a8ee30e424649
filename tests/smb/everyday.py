"""Everyday work by Python's smbprotocol, in each dialect, signed and encrypted: makes, writes, reads, lists, renames,
copies on the server, locks, shares and deletes. It ends with an error at the first thing that is not as it should be.
Usage: everyday.py PORT USER PASSWORD SHARE"""

import os
import stat
import sys
import uuid

import smbclient
from smbclient import shutil
from smbprotocol.connection import Connection, Dialects
from smbprotocol.exceptions import SMBOSError, SMBResponseException
from smbprotocol.open import LockFlags, SMB2LockElement

HOST = "127.0.0.1"
SHARING_VIOLATION, FILE_LOCK_CONFLICT, LOCK_NOT_GRANTED = 0xC0000043, 0xC0000054, 0xC0000055
NAME_NOT_FOUND, NAME_COLLISION, NOT_EMPTY = 0xC0000034, 0xC0000035, 0xC0000101
WAYS = (
    ("2.1", Dialects.SMB_2_1_0, False),
    ("3.0.2", Dialects.SMB_3_0_2, False),
    ("3.0.2", Dialects.SMB_3_0_2, True),
    ("3.1.1", Dialects.SMB_3_1_1, False),
    ("3.1.1", Dialects.SMB_3_1_1, True),
)


class Client:
    """A session over a connection of its own."""

    def __init__(self, port, user, password, share, dialect, encrypts):
        self.base, self.port = rf"\\{HOST}\{share}", port
        connection = Connection(uuid.uuid4(), HOST, port, require_signing=True)
        connection.connect(dialect, timeout=20)
        assert connection.dialect == dialect, f"dialect {connection.dialect:#x}"
        self.cache = {f"{HOST}:{port}": connection}
        self.options = {"port": port, "connection_cache": self.cache}
        session = smbclient.register_session(HOST, user, password, encrypt=encrypts, **self.options)
        assert session.signing_required or encrypts, "nothing is signed"
        self.sealed = [0, 0]
        self.count_frames(connection.transport)

    def count_frames(self, transport):
        """Counts what is sent as it is, and what is sealed."""
        send = transport.send

        def counted(frame):
            packed = frame if isinstance(frame, bytes) else frame.pack()
            self.sealed[packed[:4] == b"\xfdSMB"] += 1
            send(frame)

        transport.send = counted

    def path(self, *names):
        return "\\".join((self.base, *names))

    def open(self, name, mode="rb", **options):
        return smbclient.open_file(self.path(name), mode, **options, **self.options)

    def close(self):
        smbclient.reset_connection_cache(connection_cache=self.cache, fail_on_error=False)


def is_refused(status, function, *arguments, **options):
    """By this status."""
    try:
        function(*arguments, **options)
    except (SMBResponseException, SMBOSError) as error:
        actual = error.ntstatus if isinstance(error, SMBOSError) else error.status
        assert actual == status, f"{function.__name__}: status {actual:#x}, not {status:#x}"
    else:
        raise AssertionError(f"{function.__name__} was allowed, not refused by {status:#x}")


def files(client, folder):
    """Makes, writes, reads, lists, renames and deletes."""
    names, content = [f"file {index} äöü ✓.txt" for index in range(120)], os.urandom((3 << 20) + 17)
    for name in names:
        with client.open(rf"{folder}\{name}", "xb") as file:
            file.write(name.encode())
    is_refused(NAME_COLLISION, client.open, rf"{folder}\{names[0]}", "xb")
    assert sorted(smbclient.listdir(client.path(folder), **client.options)) == sorted(names)
    assert smbclient.listdir(client.path(folder), search_pattern="file 11*", **client.options)
    for name in names:
        with client.open(rf"{folder}\{name}") as file:
            assert file.read() == name.encode()
    with client.open(rf"{folder}\large", "wb") as file:
        file.write(content)
    with client.open(rf"{folder}\large") as file:
        assert file.read() == content
        file.seek(1_000_003)
        assert file.read(70_000) == content[1_000_003:1_070_003]
    with client.open(rf"{folder}\large", "r+b") as file:
        file.seek(65_530)
        file.write(b"in the middle")
        file.truncate(2 << 20)
    found = smbclient.stat(client.path(folder, "large"), **client.options)
    assert found.st_size == 2 << 20 and stat.S_ISREG(found.st_mode)
    smbclient.utime(client.path(folder, "large"), times=(1_500_000_000, 1_600_000_000), **client.options)
    assert smbclient.stat(client.path(folder, "large"), **client.options).st_mtime == 1_600_000_000
    smbclient.rename(client.path(folder, names[0]), client.path(folder, "renamed"), **client.options)
    is_refused(
        NAME_COLLISION,
        smbclient.rename,
        client.path(folder, names[1]),
        client.path(folder, "renamed"),
        **client.options,
    )
    smbclient.replace(client.path(folder, names[1]), client.path(folder, "renamed"), **client.options)
    is_refused(NAME_NOT_FOUND, client.open, rf"{folder}\{names[1]}")
    smbclient.mkdir(client.path(folder, "below"), **client.options)
    is_refused(NOT_EMPTY, smbclient.rmdir, client.path(folder), **client.options)
    shutil.rmtree(client.path(folder, "below"), **client.options)
    for name in names[2:]:
        smbclient.remove(client.path(folder, name), **client.options)
    assert sorted(smbclient.listdir(client.path(folder), **client.options)) == ["large", "renamed"]


def copies(client, folder):
    """Copies on the server (FSCTL_SRV_COPYCHUNK)."""
    content = os.urandom((5 << 20) + 4_321)
    with client.open(rf"{folder}\source", "wb") as file:
        file.write(content)
    shutil.copyfile(client.path(folder, "source"), client.path(folder, "copy"), **client.options)
    with client.open(rf"{folder}\copy") as file:
        assert file.read() == content
    with client.open(rf"{folder}\source", "r+b") as file:
        file.write(b"changed")
    with client.open(rf"{folder}\copy") as file:
        assert file.read(7) == content[:7], "the copy changes with its source"


def element(offset, length, flags):
    made = SMB2LockElement()
    made["offset"], made["length"], made["flags"] = offset, length, flags
    return made


def locks(client, other, folder):
    """Byte ranges, between two clients."""
    name, at_once = rf"{folder}\locked", LockFlags.SMB2_LOCKFLAG_FAIL_IMMEDIATELY
    exclusive, shared = LockFlags.SMB2_LOCKFLAG_EXCLUSIVE_LOCK | at_once, LockFlags.SMB2_LOCKFLAG_SHARED_LOCK | at_once
    with client.open(name, "wb") as file:
        file.write(b"0123456789")
    with client.open(name, "r+b", buffering=0, share_access="rw") as mine, other.open(
        name, "r+b", buffering=0, share_access="rw"
    ) as theirs:
        mine.fd.lock([element(2, 3, exclusive)])
        is_refused(LOCK_NOT_GRANTED, theirs.fd.lock, [element(4, 1, shared)])
        theirs.fd.lock([element(5, 2, exclusive)])
        is_refused(FILE_LOCK_CONFLICT, theirs.fd.read, 2, 1)
        assert theirs.fd.read(0, 2) == b"01"
        mine.fd.lock([element(2, 3, LockFlags.SMB2_LOCKFLAG_UNLOCK)])
        theirs.fd.lock([element(4, 1, shared)])
        assert theirs.fd.read(2, 1) == b"2"


def shares(client, other, folder):
    """What one has open for itself, another does not open."""
    name = rf"{folder}\shared"
    with client.open(name, "wb") as file:
        file.write(b"content")
    with client.open(name, "rb", share_access="r"):
        with other.open(name, "rb", share_access="r") as file:
            assert file.read() == b"content"
        is_refused(SHARING_VIOLATION, other.open, name, "r+b", share_access="rw")
        is_refused(SHARING_VIOLATION, smbclient.remove, other.path(name), **other.options)
    with client.open(name, "r+b"):
        is_refused(SHARING_VIOLATION, other.open, name, "rb", share_access="rwd")
    with other.open(name, "r+b", share_access="rwd"):
        pass


def main(port, user, password, share):
    for dialect, number, encrypts in WAYS:
        who = (int(port), user, password, share, number, encrypts)
        client, other, folder = Client(*who), Client(*who), f"everyday-{uuid.uuid4()}"
        smbclient.mkdir(client.path(folder), **client.options)
        files(client, folder)
        copies(client, folder)
        locks(client, other, folder)
        shares(client, other, folder)
        shutil.rmtree(client.path(folder), **client.options)
        is_refused(NAME_NOT_FOUND, smbclient.listdir, client.path(folder), **client.options)
        plain, sealed = client.sealed
        assert (sealed if encrypts else plain) > 100 and not (
            plain if encrypts else sealed
        ), f"{plain} plain, {sealed} sealed"
        client.close()
        other.close()
        print(f"SMB {dialect}, {'encrypted' if encrypts else 'signed'}: all as it should be", flush=True)


main(*sys.argv[1:])
