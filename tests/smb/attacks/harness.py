"""Attacks by name, and what each does to others: the neighbours' latencies, the server's memory and its log."""

import os
import time
import traceback

ATTACKS = []
# The 99th percentile of what neighbours wait for attributes, in milliseconds.
LATENCY_MS_MAX = 100
# Of the server: 128 MiB of requests and answers, stores, caches, and files that are open.
MEMORY_MIB_MAX = 700
# What one attack may make the server log.
LOG_BYTES_MAX = 256 << 10
LOG_LINE_MAX = 1024


def attack(function):
    """Registers an attack. It returns what it saw, in a few words, and raises where the server did something wrong."""
    ATTACKS.append(function)
    return function


def expect(actual, *allowed):
    """The status is one of those allowed."""
    status = getattr(actual, "status", actual)
    assert status in allowed, f"status {status:#x}, not one of {', '.join(hex(one) for one in allowed)}"
    return actual


class World:
    """The servers, and the addresses that attacks come from: each has its own, so that none uses up another's share."""

    def __init__(self, address, sealed_address, nfs, pid, log, passwords):
        self.address, self.sealed_address, self.nfs = address, sealed_address, nfs
        self.pid, self.log, self.passwords = pid, log, passwords
        self.sources = 9

    def new_source(self):
        self.sources += 1
        return f"127.0.{self.sources // 250 + 1}.{self.sources % 250 + 1}"

    def memory_mib(self, field="VmHWM"):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) >> 10 for line in status if line.startswith(field))

    def forget_peak(self):
        """Makes the peak of the memory begin anew."""
        with open(f"/proc/{self.pid}/clear_refs", "w", encoding="ascii") as clear:
            clear.write("5")

    def log_bytes(self):
        return os.path.getsize(self.log)


class Neighbours:
    """Latencies of the clients beside, which other processes write: a kind and milliseconds a line."""

    def __init__(self, path):
        self.path, self.offset = path, 0

    def since_last(self):
        with open(self.path, encoding="ascii") as lines:
            lines.seek(self.offset)
            text = lines.read()
        text = text[: text.rfind("\n") + 1]
        self.offset += len(text)
        latencies = {}
        for line in text.splitlines():
            kind, milliseconds = line.split()
            latencies.setdefault(kind, []).append(float(milliseconds))
        return latencies


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


def check_log(path, begun):
    """The log tells of each kind a bounded number of times, and lets no client write lines of its own."""
    with open(path, "rb") as log:
        log.seek(begun)
        text = log.read()
    assert len(text) < LOG_BYTES_MAX, f"{len(text) >> 10} KiB of log"
    for line in text.splitlines():
        assert len(line) < LOG_LINE_MAX, f"a line of {len(line)} bytes in the log"
        assert line[:2] == b"20" or line[:1] in b"{ \x1b", f"a line in the log by a client: {line[:80]}"
        assert not any(byte < 9 for byte in line), "control characters in the log"


def check_neighbours(latencies):
    for kind in ("smb", "nfs"):
        slowest = percentile(latencies.get(kind, []), 0.99)
        assert slowest < LATENCY_MS_MAX, f"{kind} neighbours wait for {slowest:.0f} ms"


def run_one(world, neighbours, function, totals):
    """Runs an attack, and prints a line for it. Returns whether all was as it should be."""
    neighbours.since_last()
    world.forget_peak()
    begun, log_begun, name = time.monotonic(), world.log_bytes(), function.__name__.replace("_", " ")
    outcome, is_right, latencies = "refused", True, {}
    try:
        outcome = function(world) or outcome
        # Enough calls for a percentile, with what the attack has left behind.
        time.sleep(max(0, 2 - (time.monotonic() - begun)))
        latencies = neighbours.since_last()
        check_neighbours(latencies)
        check_log(world.log, log_begun)
        assert world.memory_mib() < MEMORY_MIB_MAX, f"the server takes {world.memory_mib()} MiB"
    except Exception as error:
        is_right = False
        outcome = f"{outcome}; FAILED: {type(error).__name__}: {error}"
        if os.environ.get("TRACE"):
            traceback.print_exc()
    latencies = latencies or neighbours.since_last()
    for kind, values in latencies.items():
        totals.setdefault(kind, []).extend(values)
    columns = [f"{percentile(latencies.get(kind, []), 0.99):7.0f}" for kind in ("smb", "nfs")]
    slowest = max((max(values) for values in latencies.values()), default=float("nan"))
    print(
        f"{name:72} {time.monotonic() - begun:5.1f} {' '.join(columns)} {slowest:7.0f} {world.memory_mib():5} "
        f"{(world.log_bytes() - log_begun) >> 10:7}\n    {outcome}",
        flush=True,
    )
    return is_right


def run(world, neighbours, chosen):
    """Runs attacks one after another. Returns the names of those that failed."""
    failed, totals = [], {}
    print(f"{'attack':72} {'s':>5} {'smb p99':>7} {'nfs p99':>7} {'max ms':>7} {'MiB':>5} {'log KiB':>7}")
    for function in chosen:
        if not run_one(world, neighbours, function, totals):
            failed.append(function.__name__.replace("_", " "))
        if not os.path.exists(f"/proc/{world.pid}/exe"):
            failed.append("the server has ended")
            break
    for kind, values in sorted(totals.items()):
        print(
            f"{kind}: {len(values)} calls, p50 {percentile(values, 0.5):.1f} ms, "
            f"p99 {percentile(values, 0.99):.1f} ms, "
            f"max {max(values):.0f} ms"
        )
    return failed
