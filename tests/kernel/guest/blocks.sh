# shellcheck shell=bash disable=SC2154,SC2164
# mount: none
# Programs that trust `st_blocks` (tar -S, cp --sparse) lose nothing of files that are flushed, partly flushed, not
# flushed or just truncated, nor of zeros that were written. The server flushes what is 5 s old.
mount_share "" noac
python3 -S - "$DIR" "$SCRATCH" "$SHORT" <<'PY'
import os, subprocess, sys, time

share, scratch, short = sys.argv[1:]
MIB = 1 << 20
os.mkdir(scratch + "/model")
os.mkdir(share + "/blocks")
written = set()


def on(name, offset=None, data=None, size=None):
    """Writes or truncates, the file on the share and its model alike."""
    for folder in (share + "/blocks", scratch + "/model"):
        f = os.open(f"{folder}/{name}", os.O_RDWR | os.O_CREAT, 0o644)
        if data is not None:
            at = offset
            while at < offset + len(data):
                at += os.pwrite(f, data[at - offset:], at)
        if size is not None:
            os.ftruncate(f, size)
        os.fsync(f)
        os.close(f)
    if data:
        written.add(name)
    if size is not None:
        model = open(f"{scratch}/model/{name}", "rb").read()
        if not any(model):
            written.discard(name)


def same(path, name, what):
    with open(path, "rb") as one, open(f"{scratch}/model/{name}", "rb") as other:
        if one.read() != other.read():
            sys.exit(f"FAILED: {name}: {what} is another")


def check(when):
    names = sorted(os.listdir(scratch + "/model"))
    for name in names:
        blocks = os.stat(f"{share}/blocks/{name}").st_blocks
        if name in written and blocks == 0:
            sys.exit(f"FAILED: {name}, {when}: no blocks, but data")
    copies = scratch + "/copies"
    sources = [f"{share}/blocks/{name}" for name in names]
    for way in ("auto",) if short else ("always", "auto"):
        os.mkdir(copies)
        subprocess.run(["cp", "--sparse=" + way, *sources, copies], check=True)
        for name in names:
            same(f"{copies}/{name}", name, f"copied with --sparse={way}, {when},")
        subprocess.run(["rm", "-r", copies], check=True)
    os.mkdir(copies)
    subprocess.run(f"tar -C '{share}/blocks' -Scf - . | tar -C '{copies}' -xf -", shell=True, check=True)
    for name in names:
        same(f"{copies}/{name}", name, f"packed with tar -S, {when},")
        same(f"{share}/blocks/{name}", name, f"read, {when},")
    subprocess.run(["rm", "-r", copies], check=True)
    print(f"  {when}: {len(names)} files", flush=True)


def wait_for_the_flush():
    time.sleep(7)


on("byte", 0, b"x")
on("page", 0, os.urandom(4096))
on("end", 3 * MIB + 77, b"end")
on("runs", 100_000, os.urandom(300_000))
on("runs", 2 * MIB, os.urandom(9))
on("zeros", 0, bytes(MIB))
on("zeros-inside", 0, os.urandom(5000) + bytes(600_000) + os.urandom(5000))
on("cut", 0, os.urandom(MIB))
on("cut", size=MIB // 2 + 3)
on("cut-and-grown", 0, os.urandom(MIB))
on("cut-and-grown", size=10_001)
on("cut-and-grown", size=2 * MIB)
on("hole", size=MIB)
on("emptied", 0, os.urandom(200_000))
on("emptied", size=0)
check("not flushed")
wait_for_the_flush()
if not short:
    check("flushed")
on("byte", 1, b"y")
on("end", 3 * MIB + 80, os.urandom(70_000))
on("end", 9, b"start")
on("runs", 250_000, os.urandom(100_000))
on("zeros", MIB // 2, bytes(MIB))
on("zeros-inside", 3_000, bytes(400_000))
on("cut", size=5_000)
on("cut-and-grown", size=4_096)
on("cut-and-grown", size=3 * MIB)
on("cut-and-grown", 3 * MIB, b"more")
on("hole", MIB - 1, b"z")
on("emptied", 50_000, b"again")
on("page", size=0)
on("page", 0, os.urandom(100))
check("partly flushed or just truncated")
if not short:
    wait_for_the_flush()
    check("flushed again")
PY
rm -r "$DIR/blocks"
