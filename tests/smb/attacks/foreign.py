"""What belongs to others: their files by number and by path, their shares, and what is outside of a share."""

import struct

import bodies as b
from client import Client, connected, file_of
from harness import attack, expect
from impacket import nt_errors as nt
from nfs import Mount

CLOSED = (nt.STATUS_FILE_CLOSED,)


def uses_of(file):
    return [
        (b.READ, b.read(file)),
        (b.WRITE, b.write(file, b"forged")),
        (b.CLOSE, b.close(file)),
        (b.FLUSH, b.flush(file)),
        (b.QUERY_INFO, b.query_info(file)),
        (b.SET_INFO, b.set_info(file, 1, 13, b"\1")),
        (b.QUERY_DIRECTORY, b.query_directory(file)),
        (b.LOCK, b.lock(file, (0, 1, b.EXCLUSIVE | b.AT_ONCE))),
        (b.IOCTL, b.ioctl(file, 0x00140078)),
    ]


@attack
def files_of_another_by_their_numbers(world):
    """By those of another user's session, of another session of the same user, of another share; and guessed ones."""
    with connected(world, "alice", source=world.new_source()) as victim:
        file = victim.create("of-alice")
        victim.must(b.WRITE, b.write(file, b"kept"))
        for user in ("mallory", "alice"):
            with connected(world, user, source=world.new_source()) as client:
                for command, body in uses_of(file):
                    expect(client.request(command, body), *CLOSED)
        with connected(world, "bob", source=world.new_source()) as client:
            own = client.create("of-bob")
            client.connect_tree("private")
            for command, body in uses_of(own):
                expect(client.request(command, body), *CLOSED)
            low, high = struct.unpack("<QQ", own)
            for guess in [(low + step, high + step) for step in range(-20, 20) if step] + [
                (low, high + 1),
                (low + 1, high),
                (0, 0),
                (2**64 - 1, 2**64 - 1),
            ]:
                expect(client.request(b.READ, b.read(struct.pack("<QQ", *(part % 2**64 for part in guess)))), *CLOSED)
        reply = victim.must(b.READ, b.read(file))
        assert reply.raw[reply.body[2] :] == b"kept", "the content has changed"


@attack
def sessions_and_trees_of_another(world):
    with connected(world, "alice", source=world.new_source()) as victim:
        file = victim.create("of-alice")
        with connected(world, "mallory", source=world.new_source()) as client:
            for command, body in [
                *uses_of(file),
                (b.LOGOFF, b.EMPTY),
                (b.TREE_DISCONNECT, b.EMPTY),
                (b.TREE_CONNECT, b.tree_connect("export")),
                (b.CREATE, b.create("forged")),
            ]:
                expect(
                    client.request(command, body, session=victim.session.id, tree=victim.tree),
                    nt.STATUS_USER_SESSION_DELETED,
                )
            for tree in (0, client.tree + 1, 0xFFFFFFFF):
                expect(client.request(b.CREATE, b.create("forged"), tree=tree), nt.STATUS_NETWORK_NAME_DELETED)
            for session in (0, 1, client.session.id + 1, client.session.id - 1, 2**64 - 1, client.session.id | 1 << 63):
                expect(
                    client.request(b.CREATE, b.create("forged"), session=session),
                    nt.STATUS_USER_SESSION_DELETED,
                    nt.STATUS_INVALID_PARAMETER,
                )
        with Client(world.address, world.new_source()) as stranger:
            stranger.negotiate()
            expect(
                stranger.request(b.CREATE, b.create("forged"), session=victim.session.id, tree=victim.tree),
                nt.STATUS_USER_SESSION_DELETED,
            )
        victim.must(b.READ, b.read(file, length=0))


@attack
def shares_that_are_not_for_a_user(world):
    with connected(world, "mallory", share=None, source=world.new_source()) as client:
        # As that of a share that there is not: who guesses names learns none.
        for name in ("private", "PRIVATE", "none"):
            expect(client.request(b.TREE_CONNECT, b.tree_connect(name)), nt.STATUS_BAD_NETWORK_NAME)
        for name in ("none", "", "..", "export\\..\\private", "a" * 200, "export\0", "C$", "ADMIN$", "/export"):
            reply = client.request(b.TREE_CONNECT, b.tree_connect(name))
            assert reply.status != nt.STATUS_SUCCESS, f"connected to {name!r}"
        assert "private" not in listed_shares(client), "a share is listed that the user may not enter"
    with connected(world, "bob", share="private", source=world.new_source()) as client:
        assert "private" in listed_shares(client), "a share is not listed that the user may enter"


def listed_shares(client):
    """What the pipe srvsvc says to NetShareEnum, as text: the names are in it."""
    client.connect_tree("IPC$")
    pipe = client.create("srvsvc", access=0x0012019F)
    srvsvc = bytes.fromhex("c84f324b7016d30112785a47bf6ee188") + struct.pack("<HH", 3, 0)
    ndr = bytes.fromhex("045d888aeb1cc9119fe808002b104860") + struct.pack("<I", 2)
    bind = struct.pack("<HHIBxxxHBx", 4280, 4280, 0, 1, 0, 1) + srvsvc + ndr
    share_enum = struct.pack("<IHH", 0, 0, 15) + struct.pack("<8I", 0, 1, 1, 1, 0, 0, 2**32 - 1, 0)
    calls = [(11, bind), (0, share_enum)]
    for kind, body in calls:
        head = struct.pack("<BBBBIHHI", 5, 0, kind, 3, 0x10, 16 + len(body), 0, 1)
        reply = client.must(b.IOCTL, b.ioctl(pipe, 0x0011C017, head + body))
    return reply.raw.decode("utf-16le", "replace")


@attack
def files_that_a_user_may_not_touch(world):
    """By permission bits, whatever rights are asked for."""
    Mount(world.nfs, b"/export").set_mode(0o1777)
    with connected(world, "alice", source=world.new_source()) as owner:
        owner.must(b.CLOSE, b.close(owner.create("secret")))
        Mount(world.nfs, b"/export").set_mode(0o600, b"secret")
        with connected(world, "mallory", source=world.new_source()) as client:
            for access in (
                1,
                2,
                4,
                0x00040000,
                0x00080000,
                b.ALL_ACCESS,
                0x80000000,
                0x40000000,
                0x10000000,
                0x00010000,
                0x20000000,
                0x100,
            ):
                status = client.request(b.CREATE, b.create("secret", access=access)).status
                assert status == nt.STATUS_ACCESS_DENIED, f"access {access:#x}: status {status:#x}"
            for disposition in (0, 4, 5):
                expect(client.request(b.CREATE, b.create("secret", disposition=disposition)), nt.STATUS_ACCESS_DENIED)
            expect(
                client.request(b.CREATE, b.create("secret", options=b.DELETE_ON_CLOSE, access=0x00010080)),
                nt.STATUS_ACCESS_DENIED,
            )
            for access in (b.MAXIMUM, 0x80):
                reply = client.request(b.CREATE, b.create("secret", access=access))
                if reply.status == nt.STATUS_SUCCESS:
                    file = file_of(reply)
                    for command, body in (
                        uses_of(file)[0],
                        uses_of(file)[1],
                        uses_of(file)[5],
                        (b.SET_INFO, b.set_info(file, 1, 20, bytes(8))),
                        (b.SET_INFO, b.set_info(file, 1, 4, bytes(32) + struct.pack("<II", 1, 0))),
                        (b.SET_INFO, b.set_info(file, 1, 10, rename("stolen"))),
                    ):
                        expect(client.request(command, body), nt.STATUS_ACCESS_DENIED)
        owner.must(b.CLOSE, b.close(owner.create("secret", disposition=b.OPEN)))


def rename(name, root=0):
    name = name.encode("utf-16le", "surrogatepass")
    return (struct.pack("<BxxxxxxxQI", 0, root, len(name)) + name).ljust(24, b"\0")


PATHS = (
    "..",
    "..\\..",
    "..\\..\\etc\\passwd",
    "a\\..\\..\\x",
    ".",
    ".\\x",
    "\\x",
    "/x",
    "//x",
    "\\\\server\\share\\x",
    "x\\\\y",
    "x//y",
    "../x",
    "a/../../x",
    "a\\./..\\x",
    "x\0",
    "\0",
    "x\0y",
    "x:stream:$OTHER",
    ":stream",
    "x::$BITMAP",
    "$Extend\\..\\..\\x",
    "C:\\x",
    "\\??\\C:\\x",
    "\\Device\\x",
    "x*",
    "x?",
    'x"',
    "x<",
    "x>",
    "x|",
    "x\1",
    "x\n",
    "a" * 256,
    "\u00e4" * 128,
    "d\\" * 300 + "x",
    "a" * 30_000,
    "\ud800",
    "x\udfff",
    "\udfff\ud800",
)
# They mean devices on Windows, and here nothing but themselves.
RESERVED = (
    "CON",
    "NUL",
    "aux",
    "COM1",
    "LPT1.txt",
    "x.",
    "x ",
    " x",
    "...",
    "x...",
    "~",
    "$MFT",
    "\u2215etc\u2215passwd",
    "\uff0e\uff0e",
    "\u202etxt.exe",
    "e\u0301",
    "%2e%2e%5c",
)


@attack
def paths_that_lead_outside(world):
    """None opens or makes anything, as a name, as the target of a rename, or as that of a link."""
    with connected(world, "alice", source=world.new_source()) as client:
        file = client.create("renamed", access=b.ALL_ACCESS)
        for path in PATHS:
            encoded = path.encode("utf-16le", "surrogatepass")
            for options in (0, b.DIRECTORY):
                reply = client.request(b.CREATE, b.create(encoded, options=options))
                assert reply.status != nt.STATUS_SUCCESS, f"opened {path[:40]!r}"
            # A target may begin with a separator, as some clients write it.
            if path not in ("\\x", "/x"):
                for info_class in (10, 65, 11):
                    reply = client.request(b.SET_INFO, b.set_info(file, 1, info_class, rename(path)))
                    assert reply.status != nt.STATUS_SUCCESS, f"renamed to {path[:40]!r}"
        for odd in ("odd".encode("utf-16le") + b"x", b"x", b"\xff"):
            reply = client.request(b.CREATE, b.create(odd))
            assert reply.status != nt.STATUS_SUCCESS, "opened half a character"
        expect(
            client.request(b.SET_INFO, b.set_info(file, 1, 10, rename("x", root=5))),
            nt.STATUS_INVALID_PARAMETER,
            nt.STATUS_NOT_SUPPORTED,
        )
        client.must(b.CLOSE, b.close(file))
        expect(client.request(b.CREATE, b.create("renamed", disposition=b.OPEN)), nt.STATUS_SUCCESS)


@attack
def names_that_mean_something_elsewhere(world):
    """They are names like others, or refused, and each means itself alone."""
    taken = []
    with connected(world, "alice", source=world.new_source()) as client:
        client.must(b.CLOSE, b.close(client.create("names", options=b.DIRECTORY)))
        for name in RESERVED:
            reply = client.request(b.CREATE, b.create(f"names\\{name}", disposition=b.CREATE_NEW))
            if reply.status == nt.STATUS_SUCCESS:
                taken.append(name)
                client.must(b.CLOSE, b.close(file_of(reply)))
        for name in taken:
            reply = client.must(b.CREATE, b.create(f"names\\{name}", disposition=b.OPEN, options=b.DELETE_ON_CLOSE))
            client.must(b.CLOSE, b.close(file_of(reply)))
    return f"{len(taken)} of {len(RESERVED)} are names"


@attack
def symbolic_links_that_lead_outside(world):
    """Another protocol makes them; the server follows none, so that they lead to nothing of its own machine."""
    mount = Mount(world.nfs, b"/export")
    with connected(world, "alice", source=world.new_source()) as client:
        for index, target in enumerate((b"/etc/passwd", b"/etc", b"../../../etc", b".", b"..")):
            mount.make_symlink(b"link%d" % index, target)
            reply = client.request(b.CREATE, b.create(f"link{index}", access=b.MAXIMUM, disposition=b.OPEN))
            if reply.status == nt.STATUS_SUCCESS:
                file = file_of(reply)
                got = client.request(b.READ, b.read(file))
                assert got.status != nt.STATUS_SUCCESS or b"root:" not in got.raw, "it was followed"
                client.must(b.CLOSE, b.close(file))
            for path in (f"link{index}\\passwd", f"link{index}\\etc"):
                reply = client.request(b.CREATE, b.create(path, disposition=b.OPEN))
                assert reply.status != nt.STATUS_SUCCESS, f"opened {path}"


@attack
def the_root_of_a_share_is_not_renamed_or_deleted(world):
    with connected(world, "root", source=world.new_source()) as client:
        reply = client.request(b.CREATE, b.create("", options=b.DELETE_ON_CLOSE | b.DIRECTORY, disposition=b.OPEN))
        if reply.status == nt.STATUS_SUCCESS:
            client.must(b.CLOSE, b.close(file_of(reply)))
        root = client.create("", options=b.DIRECTORY, disposition=b.OPEN)
        for info_class, data in ((13, b"\1"), (64, b"\1\0\0\0"), (10, rename("elsewhere")), (11, rename("linked"))):
            reply = client.request(b.SET_INFO, b.set_info(root, 1, info_class, data))
            assert reply.status != nt.STATUS_SUCCESS, f"class {info_class} is taken"
