# SPDX-License-Identifier: BSD-3-Clause
"""Lock directories, each for one program at a time."""

import contextlib
import fcntl
import os
import time


@contextlib.contextmanager
def locked(directory, timeout=None):
    """Holds the lock for the time of the block; TimeoutError if it takes longer than `timeout` s.

    Yields its descriptor: a child that gets it holds the lock too, for as long as it works there.
    The kernel releases the lock of programs that are killed.
    """
    fd = os.open(directory, os.O_RDONLY)
    try:
        if timeout is None:
            fcntl.flock(fd, fcntl.LOCK_EX)
        else:
            _try_until(fd, time.monotonic() + timeout)
        yield fd
    finally:
        os.close(fd)


def _try_until(fd, deadline):
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError from None
        time.sleep(0.05)
