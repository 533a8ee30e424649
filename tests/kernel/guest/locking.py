"""Asks for locks that are not waited for."""

import errno
import fcntl


def busy(lock):
    """Whether a lock is another's."""
    try:
        lock()
    except OSError as error:
        assert error.errno in (errno.EAGAIN, errno.EACCES), error
        return True
    return False


def free(lock):
    return not busy(lock)


def ranged(fd, kind, start, length):
    """Takes a range; in the order of an offset and a length, which fcntl has the other way round."""
    return lambda: fcntl.lockf(fd, kind | fcntl.LOCK_NB, length, start)
