"""Runs the attacks against a server that attacks.sh has started.
Usage: run.py --port N --sealed-port N --nfs-port N --pid N --log FILE --work DIR [NAME...]
  NAME   part of the name of an attack, or of its file: only these are run"""

import argparse
import os
import subprocess
import sys

import clients
import credits
import foreign
import logon
import lots
import malformed
import nfs
import oversized
import sealing
import sessions
import slow
from harness import ATTACKS, Neighbours, World, run

# Their attacks are registered as they are imported.
PARTS = (logon, clients, sessions, sealing, credits, lots, oversized, slow, malformed, foreign)


def main():
    options = argparse.ArgumentParser()
    for name in ("port", "sealed-port", "nfs-port", "pid"):
        options.add_argument(f"--{name}", type=int, required=True)
    for name in ("log", "work"):
        options.add_argument(f"--{name}", required=True)
    options.add_argument("names", nargs="*")
    given = options.parse_args()
    # As attacks.sh gives them to the users.
    passwords = {name: f"{name}-password" for name in ("root", "alice", "bob", "mallory", "gone")}
    world = World(
        ("127.0.0.1", given.port),
        ("127.0.0.1", given.sealed_port),
        ("127.0.0.1", given.nfs_port),
        given.pid,
        given.log,
        passwords,
    )
    for port in (given.nfs_port, given.sealed_port + 1):
        nfs.Mount(("127.0.0.1", port), b"/export").set_mode(0o1777)
    latencies = os.path.join(given.work, "neighbours")
    open(latencies, "w", encoding="ascii").close()
    here = os.path.dirname(os.path.abspath(__file__))
    beside = [
        subprocess.Popen(
            [
                sys.executable,
                os.path.join(here, "neighbour.py"),
                protocol,
                str(address[1]),
                passwords["alice"],
                latencies,
            ]
        )
        for protocol, address in (("smb", world.address), ("nfs", world.nfs))
    ]
    # What attackers compute must not slow the neighbours down: they would be on other machines.
    os.nice(5)
    chosen = [
        one
        for one in ATTACKS
        if not given.names or any(name.replace(" ", "_") in f"{one.__module__}.{one.__name__}" for name in given.names)
    ]
    try:
        failed = run(world, Neighbours(latencies), chosen)
        failed += ["a neighbour was not served" for neighbour in beside if neighbour.poll() is not None]
    finally:
        for neighbour in beside:
            neighbour.terminate()
            neighbour.wait()
    for name in failed:
        print(f"failed: {name}")
    print(f"{len(chosen) - len(failed)} of {len(chosen)} as they should be")
    return 1 if failed else 0


sys.exit(main())
