# shellcheck shell=bash disable=SC2154,SC2164
# mount: none
# Four connections of one client, with work on all of them at once.
mount_share "" nconnect=4
connections=$(grep -c 'xprt:.*tcp' <(sed -n "\\,mounted on $DIR ,,/^device/p" /proc/self/mountstats))
[ "$connections" = 4 ] || fail "$connections connections, not 4"

python3 -S - "$DIR" "${SHORT:+60}" <<'PY'
import hashlib, os, sys, threading

top, files = sys.argv[1], int(sys.argv[2] or 300)
block = [os.urandom(1 << 18) for _ in range(8)]
errors = []


def work(me):
    d = os.path.join(top, "w%d" % me)
    os.mkdir(d)
    for i in range(files):
        p = os.path.join(d, "f%d" % i)
        with open(p, "wb") as f:
            f.write(b"%d" % i)
        os.rename(p, p + ".moved")
    big = os.path.join(d, "big")
    with open(big, "wb", buffering=0) as f:
        for b in block:
            f.write(b)
        os.fsync(f.fileno())
    fd = os.open(big, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    data = b"".join(iter(lambda: os.read(fd, 1 << 18), b""))
    os.close(fd)
    if hashlib.sha256(data).digest() != hashlib.sha256(b"".join(block)).digest():
        errors.append("%d: the file differs" % me)
    names = set(os.listdir(d))
    if names != {"f%d.moved" % i for i in range(files)} | {"big"}:
        errors.append("%d: the listing has %d names" % (me, len(names)))
    for n in names:
        os.unlink(os.path.join(d, n))
    os.rmdir(d)


def guarded(me):
    try:
        work(me)
    except Exception as e:
        errors.append("%d: %r" % (me, e))


threads = [threading.Thread(target=guarded, args=(i,)) for i in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
print("\n".join(errors))
sys.exit(bool(errors))
PY
[ -z "$(ls -A "$DIR")" ] || fail "entries are left"
sed -n "\\,mounted on $DIR ,,/^device/p" /proc/self/mountstats | awk '/xprt:.*tcp/ {print "figure  connection: " $9 " calls"}'
