# shellcheck shell=bash disable=SC2154,SC2164
# Locks by flock and fcntl of two clients: two mounts with sessions of their own.
other=/mnt/other
mkdir -p "$other"
mount_smb "$other" "$SMB,nosharesock,actimeo=0"
trap 'umount -l "$other"' EXIT
PYTHONPATH=$CASES python3 -S - "$DIR/file" "$other/file" <<'PY'
import errno, fcntl, os, sys, threading, time
from locking import busy, free, ranged

one, two = (os.open(path, os.O_RDWR | os.O_CREAT) for path in sys.argv[1:])
os.write(one, b"0123456789")
os.fsync(one)

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
fcntl.lockf(one, fcntl.LOCK_UN, 5, 0)

# A lock that waits has it as soon as it is free.
fcntl.lockf(one, fcntl.LOCK_EX, 1, 0)
had = []
waiter = threading.Thread(target=lambda: (fcntl.lockf(two, fcntl.LOCK_EX, 1, 0), had.append(time.monotonic())))
waiter.start()
time.sleep(1.5)
assert not had
freed = time.monotonic()
fcntl.lockf(one, fcntl.LOCK_UN, 1, 0)
waiter.join(20)
assert had and had[0] - freed < 10, had
fcntl.lockf(two, fcntl.LOCK_UN, 1, 0)

# A lock is mandatory: another client can't write under it.
fcntl.lockf(one, fcntl.LOCK_EX, 5, 0)
try:
    os.pwrite(two, b"x", 0)
    os.fsync(two)
    raise AssertionError("a locked range was written")
except OSError as error:
    assert error.errno in (errno.EACCES, errno.EAGAIN, errno.EIO), error
os.pwrite(one, b"y", 0)
os.fsync(one)
fcntl.lockf(one, fcntl.LOCK_UN, 5, 0)

# flock, whole files.
fcntl.flock(one, fcntl.LOCK_EX)
assert busy(lambda: fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB))
fcntl.flock(one, fcntl.LOCK_UN)
assert free(lambda: fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB))
# The locks of a file go with its open.
os.close(two)
assert free(lambda: fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB))
PY
rm "$DIR/file"
