"""Logons that prove nothing."""

import os
import random
import statistics
import struct
import threading
import time

import bodies as b
from client import Client, Dropped, connected, token_of
from harness import attack, expect
from impacket import nt_errors as nt
from impacket import ntlm
from impacket.spnego import SPNEGO_NegTokenInit, SPNEGO_NegTokenResp, TypesMech
from ntlm_logon import Logon, anonymous_message, negotiate_message

REFUSED = nt.STATUS_LOGON_FAILURE


def negotiated(world, source=None, mode=1, **options):
    client = Client(world.address, source or world.new_source())
    expect(client.negotiate(mode, **options), nt.STATUS_SUCCESS)
    return client


def flip(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def refused_logon(world, alter, user="alice", *allowed):
    with negotiated(world) as client:
        password = world.passwords.get(user, "")
        expect(client.try_logon(user, password, alter), *(allowed or (REFUSED,)))


@attack
def a_wrong_integrity_code(world):
    for bit in (0, 64, 127):
        refused_logon(world, lambda logon, bit=bit: setattr(logon, "alter_mic", lambda mic: flip(mic, bit)))
    refused_logon(world, lambda logon: setattr(logon, "alter_mic", lambda mic: bytes(16)))


@attack
def a_wrong_proof_and_no_integrity_code(world):
    def alter(logon):
        logon.clear_mic()
        logon.alter_proof = lambda proof: flip(proof, 5)

    def guess(logon):
        logon.clear_mic()
        logon.password = "guessed"

    refused_logon(world, alter)
    refused_logon(world, guess)


@attack
def responses_of_ntlm_version_1_and_of_no_length(world):
    for length in (24, 16, 15, 1):
        refused_logon(
            world,
            lambda logon, n=length: setattr(logon, "alter_response", lambda response: response[:n]),
            "alice",
            REFUSED,
            nt.STATUS_INVALID_PARAMETER,
        )


@attack
def a_replayed_authenticate(world):
    source = world.new_source()
    with negotiated(world, source) as client, negotiated(world, source) as other:
        reply, challenge = client.first_leg()
        token = Logon("alice", world.passwords["alice"], challenge).authenticate()
        expect(client.second_leg(reply.session, token), nt.STATUS_SUCCESS)
        # The same once more: for the session that it has set up, for a new one, and on another connection.
        again, _ = client.first_leg()
        expect(client.second_leg(again.session, token), REFUSED)
        again, _ = other.first_leg()
        expect(other.second_leg(again.session, token), REFUSED)
        expect(client.second_leg(reply.session, token), nt.STATUS_INVALID_PARAMETER, REFUSED)
        # A challenge is good for one try.
        failed, challenge = other.first_leg()
        expect(other.second_leg(failed.session, Logon("alice", "wrong", challenge).authenticate()), REFUSED)
        right = Logon("alice", world.passwords["alice"], challenge).authenticate()
        expect(other.second_leg(failed.session, right), nt.STATUS_USER_SESSION_DELETED)


@attack
def a_proof_for_another_challenge_or_of_another_response(world):
    """What was overheard is of no use, with or without an integrity code that fits."""
    with negotiated(world) as client:
        heard = []
        _, first = client.first_leg()
        logon = Logon("alice", world.passwords["alice"], first)
        logon.alter_response = lambda response: heard.append(response) or response
        logon.authenticate()
        for alter in (
            lambda response: heard[0],
            lambda response: heard[0][:16] + response[16:],
            lambda response: response[:16] + heard[0][16:],
        ):
            for clears in (False, True):

                def altered(logon, alter=alter, clears=clears):
                    if clears:
                        logon.clear_mic()
                    logon.alter_response = alter

                expect(client.try_logon("alice", world.passwords["alice"], altered), REFUSED)


@attack
def names_of_users_that_write_into_the_log(world):
    """Lines of their own, colours, and names of 60 KiB: check_log looks at what is there then."""
    with negotiated(world) as client:
        for name in (
            "x\n2026-01-01T00:00:00Z ERROR forged: yes",
            "x\x1b[2J\x1b[31mred",
            "x\r\nforged",
            "\u2028forged",
            "y" * 20_000,
            "z\0z",
            "\t" * 300,
            '" user=alice "',
        ):
            expect(client.try_logon(name, "guess"), REFUSED, nt.STATUS_INVALID_PARAMETER)
        expect(client.request(b.TREE_CONNECT, b.tree_connect("w" * 20_000), session=0), nt.STATUS_USER_SESSION_DELETED)


@attack
def an_authenticate_for_anothers_exchange(world):
    with negotiated(world) as client, negotiated(world) as other:
        reply, challenge = client.first_leg()
        token = Logon("alice", world.passwords["alice"], challenge).authenticate()
        expect(other.second_leg(reply.session, token), nt.STATUS_USER_SESSION_DELETED)
        expect(other.second_leg(0, token), nt.STATUS_INVALID_PARAMETER, REFUSED)


@attack
def anonymous_guest_and_unknown_users(world):
    with negotiated(world) as client:
        reply, _ = client.first_leg()
        expect(client.second_leg(reply.session, anonymous_message()), nt.STATUS_ACCESS_DENIED)
        for user in ("guest", "nobody", "", "a" * 200, "..", "alice\0", "al\u0131ce"):
            expect(client.try_logon(user, ""), REFUSED, nt.STATUS_ACCESS_DENIED, nt.STATUS_INVALID_PARAMETER)
        expect(
            client.request(b.TREE_CONNECT, b.tree_connect("export"), session=reply.session),
            nt.STATUS_USER_SESSION_DELETED,
        )


@attack
def a_disabled_user_is_told_so_only_with_the_right_password(world):
    with negotiated(world) as client:
        expect(client.try_logon("gone", "wrong"), REFUSED)
        expect(client.try_logon("gone", world.passwords["gone"]), nt.STATUS_ACCOUNT_DISABLED)


@attack
def the_time_of_a_refusal_does_not_tell_which_users_exist(world):
    times = {"alice": [], "nobody": []}
    for _ in range(4):
        with negotiated(world) as client:
            for user in list(times) * 10:
                reply, challenge = client.first_leg()
                token = Logon(user, "wrong", challenge).authenticate()
                begun = time.perf_counter()
                expect(client.second_leg(reply.session, token), REFUSED)
                times[user].append(time.perf_counter() - begun)
    known, unknown = (1e6 * statistics.median(times[user]) for user in ("alice", "nobody"))
    # Whatever the server finds out in less than that stays hidden. On a busy machine the medians differ by chance.
    assert min(map(min, times.values())) >= 0.019, "a refusal is told at once"
    return f"median of 40: known {known:.0f} µs, unknown {unknown:.0f} µs"


@attack
def mutated_tokens(world):
    chance, statuses = random.Random(13), {}
    for index in range(400):
        with negotiated(world) as client:
            reply, challenge = client.first_leg()
            token = Logon("alice", world.passwords["alice"], challenge).authenticate()
            # The fields of the workstation, of LM's response and of the version may say anything where there is no MIC.
            token = (
                flip(token, 8 * 88 + chance.randrange(8 * (len(token) - 88)))
                if index % 2
                else (token[: chance.randrange(len(token))])
            )
            status = client.second_leg(reply.session, token).status
            assert status != nt.STATUS_SUCCESS, f"accepted: {token.hex()}"
            statuses[hex(status)] = statuses.get(hex(status), 0) + 1
    return str(statuses)


@attack
def tokens_that_are_none(world):
    tokens = [
        b"",
        b"\x60",
        b"\x60\x84\xff\xff\xff\xff",
        b"\xa1\x80" * 20_000,
        b"NTLMSSP\0",
        os.urandom(60_000),
        b"\x60\x82\xff\xff" + b"\x30\x80" * 10_000,
        negotiate_message()[:20],
    ]
    with negotiated(world) as client:
        for token in tokens:
            body = b.session_setup(token)
            expect(
                client.request(b.SESSION_SETUP, body, session=0),
                nt.STATUS_INVALID_PARAMETER,
                nt.STATUS_NOT_SUPPORTED,
                nt.STATUS_LOGON_FAILURE,
                nt.STATUS_MORE_PROCESSING_REQUIRED,
            )


@attack
def a_list_of_mechanisms_that_was_changed(world):
    """NTLM is not the first of the list, so it must be covered by an integrity code, which is left out or wrong."""
    for mic in (None, b"\1\0\0\0" + bytes(12)):
        with negotiated(world) as client:
            init = SPNEGO_NegTokenInit()
            init["MechTypes"] = [
                TypesMech["MS KRB5 - Microsoft Kerberos 5"],
                TypesMech["NTLMSSP - Microsoft NTLM Security Support Provider"],
            ]
            init["MechToken"] = b"not of interest"
            first = expect(
                client.request(b.SESSION_SETUP, b.session_setup(init.getData()), session=0),
                nt.STATUS_MORE_PROCESSING_REQUIRED,
            )
            answer = SPNEGO_NegTokenResp()
            answer["ResponseToken"] = negotiate_message()
            second = expect(
                client.request(b.SESSION_SETUP, b.session_setup(answer.getData()), session=first.session),
                nt.STATUS_MORE_PROCESSING_REQUIRED,
            )
            challenge = SPNEGO_NegTokenResp(token_of(second))["ResponseToken"]
            token = SPNEGO_NegTokenResp()
            token["ResponseToken"] = Logon("alice", world.passwords["alice"], challenge).authenticate()
            if mic:
                # Impacket does not write mechListMIC: appended as the last of the sequence.
                token = with_mic(token["ResponseToken"], mic)
            else:
                token = token.getData()
            last = client.request(b.SESSION_SETUP, b.session_setup(token), session=first.session)
            expect(last, REFUSED)


def der(tag, content):
    return bytes([tag, 0x82]) + struct.pack(">H", len(content)) + content


def with_mic(token, mic):
    fields = der(0xA2, der(0x04, token)) + der(0xA3, der(0x04, mic))
    return der(0xA1, der(0x30, fields))


@attack
def passwords_guessed_fast(world):
    source, user = world.new_source(), "alice"
    begun, guesses = time.monotonic(), 0
    with negotiated(world, source) as client:
        for _ in range(120):
            expect(client.try_logon(user, "guess"), REFUSED)
            guesses += 1
        rate = guesses / (time.monotonic() - begun)
        # The right password is not found out that way either.
        expect(client.try_logon(user, world.passwords[user]), REFUSED)
    connected(world, user, source=world.new_source()).close()
    time.sleep(2.5)
    connected(world, user, source=source).close()
    return f"{rate:.0f}/s were refused; the right password: refused meanwhile, taken after 2.5 s, at once elsewhere"


@attack
def a_user_at_the_address_of_one_who_guesses(world):
    """Whoever shares an address with a guesser gets in, if later."""
    source, over = world.new_source(), threading.Event()

    def guess():
        while not over.is_set():
            try:
                with negotiated(world, source) as client:
                    while not over.is_set():
                        client.try_logon("mallory", "guess")
            except Dropped:
                pass

    guessers = [threading.Thread(target=guess) for _ in range(4)]
    for guesser in guessers:
        guesser.start()
    try:
        time.sleep(1)
        begun = time.monotonic()
        while True:
            with negotiated(world, source) as client:
                if client.try_logon("alice", world.passwords["alice"]).status == nt.STATUS_SUCCESS:
                    break
            assert time.monotonic() - begun < 5, "not served for five seconds"
            time.sleep(0.2)
    finally:
        over.set()
        for guesser in guessers:
            guesser.join()
    return f"got in after {time.monotonic() - begun:.1f} s"
