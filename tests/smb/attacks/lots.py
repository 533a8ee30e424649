"""Too many of what a client may have: open files, shares, sessions, locks, requests that wait, and logons."""

import struct
import threading
import time

import bodies as b
from client import Client, Dropped, connected, file_of
from harness import attack, expect
from impacket import nt_errors as nt

FULL = (nt.STATUS_TOO_MANY_OPENED_FILES, nt.STATUS_INSUFFICIENT_RESOURCES)


def answers(client, count):
    """The next answers but interim ones."""
    found = []
    while len(found) < count:
        found += [reply for reply in client.receive() if not reply.is_pending]
    return found


def open_until_full(client, name, most):
    """Opens a file until it is refused. Returns how many opens there are, and the last of them."""
    opens, last, begun = 0, None, 0
    while opens == begun and opens < most:
        begun += 256
        for _ in range(256):
            client.start(b.CREATE, b.create(name, access=0x80), credits=1)
        for reply in answers(client, 256):
            expect(reply, nt.STATUS_SUCCESS, *FULL)
            if reply.status == nt.STATUS_SUCCESS:
                opens, last = opens + 1, file_of(reply)
    return opens, last


@attack
def sixty_thousand_opens_by_one_client(world):
    """In the sessions that it needs for them. Others go on opening files, and all is given back in the end."""
    before, opens = world.memory_mib("VmRSS"), []
    with connected(world, source=world.new_source(), timeout=120) as client:
        client.earn(600)
        for _ in range(4):
            count, last = open_until_full(client, "opened", 60_000 - sum(opens))
            opens.append(count)
            client.must(b.CLOSE, b.close(last))
            if sum(opens) >= 60_000:
                break
            expect(client.try_logon("alice", world.passwords["alice"]), nt.STATUS_SUCCESS)
            client.connect_tree("export")
        with connected(world, "bob", source=world.new_source()) as other:
            other.create("opened", access=0x80)
        held = world.memory_mib("VmRSS") - before
    begun = time.monotonic()
    # Nobody else may open it so before they are closed.
    with connected(world, "alice", source=world.new_source()) as other:
        while other.request(b.CREATE, b.create("opened", access=b.DELETE_ACCESS, share=0)).status != 0:
            assert time.monotonic() - begun < 60, "what was open stays open"
            time.sleep(0.2)
    return f"{opens} in {len(opens)} sessions, {held} MiB, closed after {time.monotonic() - begun:.1f} s"


@attack
def opens_of_one_user_without_end(world):
    """Each session may have 16,384 and each connection 64 sessions: a user has a bound of its own, wherever it is."""
    before, total, clients = world.memory_mib("VmRSS"), 0, []
    try:
        while True:
            client = connected(world, "mallory", source=world.new_source(), timeout=120)
            clients.append(client)
            client.earn(600)
            count, _ = open_until_full(client, f"opened-without-end{len(clients)}", 1 << 20)
            total += count
            assert total < 400_000, "no end of opens"
            if count < 16_384:
                break
        connected(world, "bob", source=world.new_source()).create("opened-by-bob")
        held = world.memory_mib("VmRSS") - before
    finally:
        for client in clients:
            client.close()
    return f"{total} opens in {len(clients)} sessions, {held} MiB"


@attack
def shares_and_sessions_without_end(world):
    with connected(world, source=world.new_source()) as client:
        trees = 0
        while (reply := client.request(b.TREE_CONNECT, b.tree_connect("export"))).status == 0:
            trees += 1
            assert trees < 5_000, "no end of shares"
        expect(reply, nt.STATUS_INSUFFICIENT_RESOURCES)
    with connected(world, source=world.new_source()) as client:
        sessions = 1
        while (reply := client.try_logon("alice", world.passwords["alice"])).status == 0:
            sessions += 1
            assert sessions < 5_000, "no end of sessions"
        expect(reply, nt.STATUS_INSUFFICIENT_RESOURCES)
        client.must(b.ECHO, b.EMPTY)
    return f"{trees} uses of shares, {sessions} sessions on a connection"


@attack
def locks_without_end(world):
    """Ranges of one byte each, until no more are given. Another user reads the file meanwhile."""
    with connected(world, source=world.new_source(), timeout=60) as client, connected(world, "bob") as other:
        file, locks, most = client.create("locked"), 0, 0
        client.must(b.WRITE, b.write(file, bytes(4096)))
        client.must(b.CLOSE, b.close(file))
        reader = other.create("locked", access=0x120089)
        file, begun = client.create("locked"), time.monotonic()
        while locks < 60_000 and time.monotonic() - begun < 60:
            ranges = [((locks + index) * 2, 1, b.EXCLUSIVE | b.AT_ONCE) for index in range(64)]
            reply = client.request(b.LOCK, b.lock(file, *ranges))
            if reply.status != nt.STATUS_SUCCESS:
                expect(reply, nt.STATUS_INSUFFICIENT_RESOURCES, nt.STATUS_LOCK_NOT_GRANTED)
                break
            locks += 64
            asked = time.monotonic()
            expect(other.request(b.READ, b.read(reader, offset=1, length=1)), nt.STATUS_SUCCESS)
            most = max(most, time.monotonic() - asked)
        begun = time.monotonic()
        client.must(b.CLOSE, b.close(file))
        closed = time.monotonic() - begun
        return f"{locks} were given; a read took {1000 * most:.0f} ms at most, the close {1000 * closed:.0f} ms"


@attack
def locks_on_many_files(world):
    """A file has its bound, and a user has one over all files, in all sessions. Others go on locking, and all is given
    back when the connection ends."""
    most, given, before = 65_536, 0, world.memory_mib("VmRSS")
    with connected(world, "mallory", source=world.new_source(), timeout=60) as client:
        client.earn(200)
        number, status = 0, nt.STATUS_SUCCESS
        while status == nt.STATUS_SUCCESS:
            file, number = client.create(f"locked-by-mallory{number}"), number + 1
            for first in range(0, 1_024, 64):
                ranges = [((first + index) * 2, 1, b.EXCLUSIVE | b.AT_ONCE) for index in range(64)]
                status = client.request(b.LOCK, b.lock(file, *ranges)).status
                if status != nt.STATUS_SUCCESS:
                    break
                given += 64
            assert given <= most, "no end of locks"
        assert status == nt.STATUS_INSUFFICIENT_RESOURCES, f"status {status:#x}"
        assert given == most, f"{given} locks were given"
        with connected(world, "mallory", source=world.new_source()) as second:
            other = second.create("locked-by-mallory0")
            expect(
                second.request(b.LOCK, b.lock(other, (1, 1, b.EXCLUSIVE | b.AT_ONCE))),
                nt.STATUS_INSUFFICIENT_RESOURCES,
            )
        with connected(world, "bob", source=world.new_source()) as other:
            file = other.create("locked-by-bob")
            other.must(b.LOCK, b.lock(file, (0, 1, b.EXCLUSIVE | b.AT_ONCE)))
        client.must(b.CLOSE, b.close(client.create("locked-by-mallory0")))
        held = world.memory_mib("VmRSS") - before
    begun = time.monotonic()
    with connected(world, "mallory", source=world.new_source()) as client:
        file = client.create("locked-by-mallory0")
        while client.request(b.LOCK, b.lock(file, (0, 1, b.EXCLUSIVE | b.AT_ONCE))).status != nt.STATUS_SUCCESS:
            assert time.monotonic() - begun < 60, "the locks of a client that is gone stay"
            time.sleep(0.05)
        gone = time.monotonic() - begun
    return f"{given} on {number} files, {held} MiB, given back after {gone:.1f} s"


@attack
def requests_that_wait_for_a_lock_without_end(world):
    """They must not take all that a client may ask at once: it could not even cancel any more."""
    with connected(world, source=world.new_source()) as holder, connected(world, source=world.new_source()) as client:
        client.earn(2_000)
        held = holder.create("waited-for")
        holder.must(b.LOCK, b.lock(held, (0, 1, b.EXCLUSIVE | b.AT_ONCE)))
        file, waiting, refused = client.create("waited-for"), 0, {}
        for _ in range(1_000):
            ident = client.start(b.LOCK, b.lock(file, (0, 1, b.EXCLUSIVE)), credits=2)
            reply = client.answer(ident, takes_pending=True)
            if reply.is_pending:
                waiting += 1
            else:
                refused[hex(reply.status)] = refused.get(hex(reply.status), 0) + 1
        client.must(b.ECHO, b.EMPTY)
        client.must(b.CLOSE, b.close(file))
        holder.must(b.CLOSE, b.close(held))
        return f"{waiting} wait, refused: {refused}"


@attack
def large_requests_that_wait_for_a_lock(world):
    """A compound that ends with a wait must not keep the room of what it has written meanwhile: from a few addresses
    that would be the room of all clients."""
    with connected(world, source=world.new_source()) as holder:
        held = holder.create("waited-for")
        holder.must(b.LOCK, b.lock(held, (0, 1, b.EXCLUSIVE | b.AT_ONCE)))
        clients = []
        try:
            for _ in range(40):
                client = connected(world, source=world.new_source(), timeout=60)
                clients.append(client)
                client.earn(140)
                ballast = client.create("ballast")
                client.sent = b.WRITE, b.write(ballast, bytes(8 << 20 if len(clients) % 2 else 4 << 20)), 128
            senders = [threading.Thread(target=send_and_wait, args=(client,)) for client in clients]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join(60)
            with connected(world, "bob", source=world.new_source(), timeout=20) as other:
                other.earn(140)
                file, begun = other.create("beside"), time.monotonic()
                other.must(b.WRITE, b.write(file, bytes(8 << 20)), charge=128)
                return f"8 MiB of another were written in {time.monotonic() - begun:.1f} s"
        finally:
            for client in clients:
                client.close()


def send_and_wait(client):
    requests = [client.sent, (b.CREATE, b.create("waited-for")), (b.LOCK, b.lock(b.RELATED_FILE, (0, 1, b.EXCLUSIVE)))]
    messages = []
    for index, (command, body, *charge) in enumerate(requests):
        is_last = index == 2
        body += bytes(0 if is_last else -len(body) % 8)
        messages.append(
            client.message(
                command,
                body,
                charge=charge[0] if charge else 1,
                flags=4 if is_last else 0,
                following=0 if is_last else 64 + len(body),
            )
        )
    try:
        client.send(b"".join(messages))
    except (Dropped, TimeoutError):
        pass


@attack
def clients_that_break_off_while_they_open_for_themselves_alone(world):
    """None of what they were about to open stays open."""
    source = world.new_source()
    with connected(world, "bob", source=world.new_source()) as other:
        for index in range(150):
            with connected(world, source=source) as client:
                for number in range(8):
                    client.start(b.CREATE, b.create(f"alone{number}", share=0))
                if index % 3 == 1:
                    client.send_bytes(b"\xff\xff\xff\xff")
                elif index % 3 == 2:
                    client.socket.setsockopt(1, 13, struct.pack("ii", 1, 0))
        begun = time.monotonic()
        for number in range(8):
            while (
                reply := other.request(b.CREATE, b.create(f"alone{number}", access=0x80, disposition=b.OPEN))
            ).status:
                expect(reply, nt.STATUS_SHARING_VIOLATION)
                assert time.monotonic() - begun < 10, "a file stays open that nobody has open"
                time.sleep(0.05)
    return f"all can be opened after {time.monotonic() - begun:.1f} s"


@attack
def a_storm_of_logons(world):
    """From 30 addresses at once, with right and with wrong passwords."""
    counts, until, lock = {}, time.monotonic() + 8, threading.Lock()

    def storm(source, index):
        while time.monotonic() < until:
            user, password = ("alice", world.passwords["alice"]) if index % 2 else (f"user{index}", "guess")
            try:
                with Client(world.address, source) as client:
                    client.negotiate()
                    for _ in range(4):
                        status = hex(client.try_logon(user, password).status)
                        with lock:
                            counts[status] = counts.get(status, 0) + 1
            except (Dropped, TimeoutError, ConnectionError):
                with lock:
                    counts["dropped"] = counts.get("dropped", 0) + 1

    threads = [threading.Thread(target=storm, args=(world.new_source(), index)) for index in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts.get("0x0") and set(counts) <= {"0x0", hex(nt.STATUS_LOGON_FAILURE), "dropped"}, str(counts)
    return str(counts)


@attack
def small_requests_without_a_pause(world):
    """From four connections, as fast as they are answered: each has its turn, and others have theirs."""
    until, counts = time.monotonic() + 6, []

    def pump(client, file):
        count, body = 0, b.query_info(file)
        while time.monotonic() < until:
            frames = []
            for _ in range(2_000):
                message = client.message(b.QUERY_INFO, body, credits=1)
                frames.append(struct.pack(">I", len(message)) + message)
            client.send_bytes(b"".join(frames))
            count += len(answers(client, 2_000))
        counts.append(count)

    clients = [connected(world, source=world.new_source(), timeout=60) for _ in range(4)]
    for client in clients:
        client.earn(2_100)
    files = [client.create("asked-often") for client in clients]
    threads = [threading.Thread(target=pump, args=pair) for pair in zip(clients, files)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()
    return f"{sum(counts) / 6:.0f} a second"


@attack
def frames_that_are_large_both_ways(world):
    """Each holds the room of 8 MiB that it writes, and waits for that of 8 MiB that it reads."""
    clients = []

    def ask(client, file):
        write, read = b.write(file, bytes(8 << 20)), b.read(file, length=8 << 20)
        first = client.message(b.WRITE, write, charge=128, following=64 + len(write))
        try:
            client.send(first + client.message(b.READ, read, charge=128))
            client.receive()
        except (Dropped, TimeoutError):
            pass

    try:
        threads = []
        for _ in range(30):
            client = connected(world, source=world.new_source(), timeout=20)
            clients.append(client)
            client.earn(300)
            threads.append(threading.Thread(target=ask, args=(client, client.create("both-ways"))))
        for thread in threads:
            thread.start()
        with connected(world, "bob", source=world.new_source(), timeout=30) as other:
            other.earn(140)
            file, begun = other.create("beside"), time.monotonic()
            other.must(b.WRITE, b.write(file, bytes(8 << 20)), charge=128)
            took = time.monotonic() - begun
        for thread in threads:
            thread.join()
    finally:
        for client in clients:
            client.close()
    return f"8 MiB of another were written in {took:.1f} s"
