"""Bodies of requests. Nothing is checked, so that they can be wrong on purpose."""

import struct

NEGOTIATE, SESSION_SETUP, LOGOFF, TREE_CONNECT, TREE_DISCONNECT, CREATE, CLOSE, FLUSH, READ, WRITE = range(10)
LOCK, IOCTL, CANCEL, ECHO, QUERY_DIRECTORY, CHANGE_NOTIFY, QUERY_INFO, SET_INFO, OPLOCK_BREAK = range(10, 19)

# The file that the request before in the compound has opened.
RELATED_FILE = b"\xff" * 16
EMPTY = struct.pack("<HH", 4, 0)

OPEN, CREATE_NEW, OPEN_IF, OVERWRITE_IF = 1, 2, 3, 5
DIRECTORY, DELETE_ON_CLOSE = 1, 0x1000
ALL_ACCESS, READ_AND_WRITE, MAXIMUM, DELETE_ACCESS = 0x001F01FF, 0x0012019F, 0x02000000, 0x00010000
UNLOCK, SHARED, EXCLUSIVE, AT_ONCE = 4, 1, 2, 0x10


def context(kind, data):
    padding = b"" if len(data) % 8 == 0 else bytes(8 - len(data) % 8)
    return struct.pack("<HHI", kind, len(data), 0) + data, padding


def negotiate(dialects=(0x0311,), mode=1, capabilities=0x7F):
    """Offers AES-128-GMAC and AES-128-GCM, where 3.1.1 is among the dialects."""
    offered = struct.pack(f"<{len(dialects)}H", *dialects)
    padding = bytes(-(100 + len(offered)) % 8)
    contexts = (
        [
            context(1, struct.pack("<HHH", 1, 32, 1) + bytes(32)),
            context(2, struct.pack("<HH", 1, 2)),
            context(8, struct.pack("<HH", 1, 2)),
        ]
        if 0x0311 in dialects
        else []
    )
    joined = b"".join(entry + pad for entry, pad in contexts)
    offset = 100 + len(offered) + len(padding) if contexts else 0
    fixed = struct.pack("<HHHHI16sIHH", 36, len(dialects), mode, 0, capabilities, b"c" * 16, offset, len(contexts), 0)
    return fixed + offered + padding + joined


def session_setup(token, mode=1, previous=0, flags=0):
    return struct.pack("<HBBIIHHQ", 25, flags, mode, 0, 0, 88, len(token), previous) + token


def tree_connect(share, host="server"):
    path = f"\\\\{host}\\{share}".encode("utf-16le")
    return struct.pack("<HHHH", 9, 0, 72, len(path)) + path


def create(name, access=ALL_ACCESS, disposition=OPEN_IF, options=0, share=7, attributes=0, contexts=b"", oplock=0):
    name = name.encode("utf-16le") if isinstance(name, str) else name
    padding = bytes(-len(name) % 8)
    offset = 120 + len(name) + len(padding) if contexts else 0
    fixed = struct.pack(
        "<HBBIQQIIIIIHHII",
        57,
        0,
        oplock,
        2,
        0,
        0,
        access,
        attributes,
        share,
        disposition,
        options,
        120,
        len(name),
        offset,
        len(contexts),
    )
    return fixed + (name + padding + contexts or b"\0")


def create_context(name, data=b"", following=0, data_offset=None):
    offset = 24 if data_offset is None else data_offset
    return struct.pack("<IHHHHI", following, 16, len(name), 0, offset, len(data)) + name.ljust(8, b"\0") + data


def close(file):
    return struct.pack("<HHI16s", 24, 0, 0, file)


flush = close


def read(file, offset=0, length=4096, minimum=0):
    return struct.pack("<HBBIQ16sIIIHHB", 49, 80, 0, length, offset, file, minimum, 0, 0, 0, 0, 0)


def write(file, data, offset=0, length=None, data_offset=112):
    length = len(data) if length is None else length
    return struct.pack("<HHIQ16sIIHHI", 49, data_offset, length, offset, file, 0, 0, 0, 0, 0) + data


def lock(file, *ranges, count=None):
    """Ranges are (offset, length, flags)."""
    count = len(ranges) if count is None else count
    return struct.pack("<HHI16s", 48, count, 0, file) + b"".join(struct.pack("<QQII", *entry, 0) for entry in ranges)


def ioctl(file, code, data=b"", most=4096, most_input=0, length=None, offset=120, flags=1):
    length = len(data) if length is None else length
    return struct.pack("<HHI16sIIIIIIII", 57, 0, code, file, offset, length, most_input, 120, 0, most, flags, 0) + data


def query_directory(file, pattern="*", info_class=37, most=65536, flags=0):
    pattern = pattern.encode("utf-16le")
    return struct.pack("<HBBI16sHHI", 33, info_class, flags, 0, file, 96, len(pattern), most) + pattern


def query_info(file, kind=1, info_class=18, most=65536, additional=0, data=b"", length=None):
    length = len(data) if length is None else length
    return struct.pack("<HBBIHHIII16s", 41, kind, info_class, most, 104, 0, length, additional, 0, file) + (
        data or b"\0"
    )


def set_info(file, kind, info_class, data, additional=0, length=None):
    length = len(data) if length is None else length
    return struct.pack("<HBBIHHI16s", 33, kind, info_class, length, 96, 0, additional, file) + data
