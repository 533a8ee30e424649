"""Random work on the same files through several mounts, and a check of what each read.

A page of a file is a register: each write gives it a value that no other has. Writes open the file and close it, so do
most reads; others go to a file that stays open. A read is wrong if its value was certainly written over before it began:
if another value, whose write began after that of the value read had ended, had been written or was seen a second before.

By SMB a file that is open can't be replaced; Linux then removes it first. And whoever has not heard yet that a file was
replaced asks for it by a lease of the old one (EINVAL), or for one that is gone (ESTALE). Such calls are counted, and
are few.

The first mount is by NFS, and goes past its client's cache (O_DIRECT): Linux does not look for changes of others in a
file that it writes to itself.

Arguments: seconds, and the mounts.
"""

import contextlib
import errno
import mmap
import os
import random
import sys
import threading
import time

FILES = 6
PAGES = 4
PAGE = 4096
# Workers of each mount.
WORKERS = 2
# Operations on a file that stays open.
KEPT = 6
REPLACED, KEPT_OPEN = 0.05, 0.2
# Seconds that a client has to hear of a change: nobody waits for who only caches what it reads.
HEARD = 1.0


class Write:
    def __init__(self, mount, began):
        self.mount, self.began = mount, began
        # When it had certainly taken effect: it ended, or was seen by another mount. Its own one sees what it caches.
        self.known = float("inf")
        self.ended = float("inf")

    def told(self, now):
        how = "written" if self.known == self.ended else "seen"
        return f"{how} by {self.mount} {(now - self.known) * 1000:.1f} ms before"


class History:
    """What was written to all registers, and the faults of reads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.next = 0
        self.registers = {}
        self.faults = []
        self.counts = {"reads": 0, "writes": 0, "replaced": 0, "turned away": 0}

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def begin(self, mount, registers):
        with self.lock:
            self.next += 1
            value = self.next
            write = Write(mount, time.monotonic())
            for register in registers:
                self.registers.setdefault(register, {})[value] = write
            return value, write

    def end(self, write, what):
        with self.lock:
            write.ended = time.monotonic()
            write.known = min(write.known, write.ended)
            self.counts[what] += 1

    def read(self, register, value, began, worker):
        with self.lock:
            ended = time.monotonic()
            self.counts["reads"] += 1
            writes = self.registers.get(register, {})
            own = writes.get(value)
            if own is None:
                # Nothing, or zeros: right until a first write is known.
                newer = [write.told(began) for write in writes.values() if write.known + HEARD < began]
                if value or newer:
                    self.faults.append(f"{worker.where}: {register} was {value}, after {newer}")
                return
            for other, write in writes.items():
                if own.ended < write.began and write.known + HEARD < began:
                    self.faults.append(f"{worker.where}: {register} was {value}, after {other}: {write.told(began)}")
                    return
            if own.mount != worker.mount:
                own.known = min(own.known, ended)
            if len(writes) > 64:
                self.forget(writes)

    def forget(self, writes):
        """Of the writes that are surely over, only the newest counts."""
        over = time.monotonic() - 60
        old = sorted((write.began, value) for value, write in writes.items() if write.ended < over)
        for _, value in old[:-8]:
            del writes[value]


class Name:
    """Held by all who write to its file or keep it open, or by one who replaces it: what is written to a file that is
    replaced meanwhile is lost, and its pages are no longer those of the name."""

    def __init__(self):
        self.changed = threading.Condition()
        self.users = 0

    @contextlib.contextmanager
    def used(self):
        with self.changed:
            self.users += 1
        try:
            yield
        finally:
            with self.changed:
                self.users -= 1
                self.changed.notify_all()

    @contextlib.contextmanager
    def alone(self):
        with self.changed:
            self.changed.wait_for(lambda: self.users == 0)
            yield


NAMES = {f"f{number}": Name() for number in range(FILES)}


def page_of(value):
    return value.to_bytes(8, "little") * (PAGE // 8)


def value_of(page):
    return int.from_bytes(page[:8], "little")


class Worker(threading.Thread):
    def __init__(self, mount, number, history, until):
        super().__init__()
        self.mount, self.history, self.until = mount, history, until
        self.direct = os.O_DIRECT if mount == sys.argv[2] else 0
        # Aligned, as that demands.
        self.page = mmap.mmap(-1, PAGE)
        self.where = f"{mount} {number}"
        self.random = random.Random(self.where)
        self.error = None

    def run(self):
        try:
            while time.monotonic() < self.until and not self.history.faults:
                try:
                    self.step()
                except OSError as error:
                    if error.errno not in (errno.ENOENT, errno.EACCES, errno.EINVAL, errno.ESTALE):
                        raise
                    self.history.count("turned away")
        except Exception as error:
            self.error = error

    def step(self):
        name = f"f{self.random.randrange(FILES)}"
        path = os.path.join(self.mount, name)
        kind = self.random.random()
        if kind < REPLACED:
            self.replace(name, path)
        elif kind < REPLACED + KEPT_OPEN:
            with NAMES[name].used(), open_file(path, os.O_RDWR | self.direct) as file:
                for _ in range(KEPT):
                    self.read(name, file, time.monotonic())
        elif self.random.random() < 0.5:
            began = time.monotonic()
            with open_file(path, os.O_RDONLY | self.direct) as file:
                self.read(name, file, began)
        else:
            self.write(name, path)

    def read(self, name, file, began):
        page = self.random.randrange(PAGES)
        os.preadv(file, [self.page], page * PAGE)
        self.history.read((name, page), value_of(self.page), began, self)

    def write(self, name, path):
        page = self.random.randrange(PAGES)
        with NAMES[name].used():
            value, write = self.history.begin(self.mount, [(name, page)])
            with open_file(path, os.O_RDWR | self.direct) as file:
                self.page[:] = page_of(value)
                os.pwritev(file, [self.page], page * PAGE)
            self.history.end(write, "writes")

    def replace(self, name, path):
        new = f"{path}.new"
        with NAMES[name].alone():
            value, write = self.history.begin(self.mount, [(name, page) for page in range(PAGES)])
            with open_file(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
                os.write(file, page_of(value) * PAGES)
            os.rename(new, path)
            self.history.end(write, "replaced")


@contextlib.contextmanager
def open_file(path, flags):
    file = os.open(path, flags)
    try:
        yield file
    finally:
        os.close(file)


def main():
    seconds, mounts = float(sys.argv[1]), sys.argv[2:]
    for name in NAMES:
        with open(os.path.join(mounts[0], name), "wb") as file:
            file.write(bytes(PAGE * PAGES))
    history = History()
    until = time.monotonic() + seconds
    workers = [Worker(mount, number, history, until) for mount in mounts for number in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    counts = ", ".join(f"{count} {what}" for what, count in history.counts.items())
    print(f"figure {counts} by {len(workers)} workers on {len(mounts)} mounts")
    for worker in workers:
        if worker.error:
            print(f"{worker.where}: {worker.error!r}")
    for fault in history.faults[:20]:
        print(fault)
    is_rare = history.counts["turned away"] * 20 < sum(history.counts.values())
    sys.exit(0 if is_rare and not history.faults and not any(worker.error for worker in workers) else 1)


main()
