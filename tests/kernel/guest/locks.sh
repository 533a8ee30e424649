# shellcheck shell=bash disable=SC2154,SC2164
# mount: none
# Locks by flock and fcntl of a client of NFS (NLM) and of one of SMB: one table.
mount-nfs 3lock "$PORT" "$EXPORT" "$DIR" "mountport=$MOUNTPORT,noac"
smb=/mnt/smb
mkdir -p "$smb"
mount_smb "$smb" vers=3.1.1,actimeo=0,cache=none
trap 'umount -l "$smb"' EXIT
: >"$DIR/file"
PYTHONPATH=$CASES python3 -S - "$DIR/file" "$smb/file" <<'PY'
import errno, fcntl, os, signal, sys, threading, time
from locking import busy, free, ranged

nfs, smb = (os.open(path, os.O_RDWR) for path in sys.argv[1:])
os.write(nfs, b"0123456789")
os.fsync(nfs)

for one, two in (nfs, smb), (smb, nfs):
    # Ranges: those that overlap conflict, shared ones don't.
    fcntl.lockf(one, fcntl.LOCK_EX, 5, 0)
    assert busy(ranged(two, fcntl.LOCK_EX, 4, 1))
    assert busy(ranged(two, fcntl.LOCK_SH, 0, 1))
    assert free(ranged(two, fcntl.LOCK_EX, 5, 5))
    assert busy(ranged(one, fcntl.LOCK_SH, 5, 1))
    fcntl.lockf(two, fcntl.LOCK_UN, 5, 5)
    fcntl.lockf(one, fcntl.LOCK_UN, 5, 0)
    fcntl.lockf(one, fcntl.LOCK_SH, 5, 0)
    assert free(ranged(two, fcntl.LOCK_SH, 0, 5))
    assert busy(ranged(two, fcntl.LOCK_EX, 4, 1))
    fcntl.lockf(two, fcntl.LOCK_UN, 5, 0)
    # An upgrade, now that nobody shares. SMB knows none.
    if one == nfs:
        fcntl.lockf(one, fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 0)
        assert busy(ranged(two, fcntl.LOCK_SH, 4, 1))
    fcntl.lockf(one, fcntl.LOCK_UN, 5, 0)

    # A lock that waits gets it. NFS's client can't be called here, so it asks again after 30 s.
    fcntl.lockf(one, fcntl.LOCK_EX, 1, 0)
    had = []
    waiter = threading.Thread(target=lambda: (fcntl.lockf(two, fcntl.LOCK_EX, 1, 0), had.append(time.monotonic())))
    waiter.start()
    time.sleep(1.5)
    assert not had
    freed = time.monotonic()
    fcntl.lockf(one, fcntl.LOCK_UN, 1, 0)
    waiter.join(45)
    assert had, "it waits for a lock that is free"
    print("figure waited", round(had[0] - freed, 1), "s")
    fcntl.lockf(two, fcntl.LOCK_UN, 1, 0)

    # Whole files, by flock.
    fcntl.flock(one, fcntl.LOCK_EX)
    assert busy(lambda: fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB))
    fcntl.flock(one, fcntl.LOCK_UN)
    assert free(lambda: fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB))
    fcntl.flock(two, fcntl.LOCK_UN)

# Under a lock of NFS, SMB does not write.
fcntl.lockf(nfs, fcntl.LOCK_EX, 5, 0)
try:
    os.pwrite(smb, b"x", 0)
    os.fsync(smb)
    raise AssertionError("a locked range was written")
except OSError as error:
    assert error.errno in (errno.EACCES, errno.EAGAIN, errno.EIO), error
fcntl.lockf(nfs, fcntl.LOCK_UN, 5, 0)

# The locks of a process that dies are free, also for opens that come later.
has_locked, locks = os.pipe()
child = os.fork()
if child == 0:
    fcntl.lockf(nfs, fcntl.LOCK_EX, 5, 0)
    os.write(locks, b"x")
    time.sleep(600)
os.read(has_locked, 1)
later = os.open(sys.argv[2], os.O_RDWR)
assert busy(ranged(smb, fcntl.LOCK_EX, 0, 5))
assert busy(ranged(later, fcntl.LOCK_EX, 4, 1))
assert free(ranged(later, fcntl.LOCK_EX, 5, 1))
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
# The kernel unlocks behind the end of the process.
for _ in range(100):
    if free(ranged(later, fcntl.LOCK_EX, 0, 5)):
        break
    time.sleep(0.1)
else:
    raise AssertionError("the lock of a process that died stays")
PY
rm "$DIR/file"
