"""Random work on the same files through several mounts, and a check of what each read.

A page of a file is a register: each write gives it a value that no other has. Writes open the file and close it, so do
most reads; others go to a file that stays open. A read is wrong if its value was certainly written over before it began:
if another value, whose write began after that of the value read had ended, had been written or was seen by then.

Arguments: seconds, and the mounts.
"""

import contextlib
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


class Write:
    def __init__(self, began):
        self.began = began
        # When it had certainly taken effect: it ended, or was seen.
        self.known = float("inf")
        self.ended = float("inf")


class History:
    """What was written to all registers, and the faults of reads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.next = 0
        self.registers = {}
        self.faults = []
        self.counts = {"reads": 0, "writes": 0, "replaced": 0}

    def begin(self, registers):
        with self.lock:
            self.next += 1
            value = self.next
            write = Write(time.monotonic())
            for register in registers:
                self.registers.setdefault(register, {})[value] = write
            return value, write

    def end(self, write, what):
        with self.lock:
            write.ended = time.monotonic()
            write.known = min(write.known, write.ended)
            self.counts[what] += 1

    def read(self, register, value, began, where):
        with self.lock:
            ended = time.monotonic()
            self.counts["reads"] += 1
            writes = self.registers.get(register, {})
            own = writes.get(value)
            if own is None:
                # Nothing, or zeros: right until a first write is known.
                newer = [other for other in writes.values() if other.known < began]
                if value or newer:
                    self.faults.append(f"{where}: {register} was {value}, which nobody wrote last")
                return
            for other, write in writes.items():
                if own.ended < write.began and write.known < began:
                    late = (began - write.known) * 1000
                    self.faults.append(f"{where}: {register} was {value}, {late:.1f} ms after {other} was there")
                    return
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
        self.where = f"{mount} {number}"
        self.random = random.Random(self.where)
        self.error = None

    def run(self):
        try:
            while time.monotonic() < self.until and not self.history.faults:
                self.step()
        except Exception as error:
            self.error = error

    def step(self):
        name = f"f{self.random.randrange(FILES)}"
        path = os.path.join(self.mount, name)
        kind = self.random.random()
        if kind < REPLACED:
            self.replace(name, path)
        elif kind < REPLACED + KEPT_OPEN:
            with NAMES[name].used(), open_file(path, os.O_RDWR) as file:
                for _ in range(KEPT):
                    self.read(name, file, time.monotonic())
        elif self.random.random() < 0.5:
            began = time.monotonic()
            with open_file(path, os.O_RDONLY) as file:
                self.read(name, file, began)
        else:
            self.write(name, path)

    def read(self, name, file, began):
        page = self.random.randrange(PAGES)
        value = value_of(os.pread(file, PAGE, page * PAGE))
        self.history.read((name, page), value, began, self.where)

    def write(self, name, path):
        page = self.random.randrange(PAGES)
        with NAMES[name].used():
            value, write = self.history.begin([(name, page)])
            with open_file(path, os.O_RDWR) as file:
                os.pwrite(file, page_of(value), page * PAGE)
            self.history.end(write, "writes")

    def replace(self, name, path):
        new = f"{path}.new"
        with NAMES[name].alone():
            value, write = self.history.begin([(name, page) for page in range(PAGES)])
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
    sys.exit(1 if history.faults or any(worker.error for worker in workers) else 0)


main()
