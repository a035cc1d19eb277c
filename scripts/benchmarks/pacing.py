"""Writes frames to one socket from a thread of its own: at a steady rate, or as fast as the reader takes them.

The thread sleeps on the kernel's clock and writes to the descriptor directly, because an event loop's timers are a
millisecond coarse. The schedule is absolute: a late frame is counted and does not move those after it.
"""

import ctypes
import os
import select
import time
from collections.abc import Iterator

import msgspec

LATE_NS = 1_000_000
_PR_SET_TIMERSLACK = 29
_CHUNK = 128
"""Frames of a flood that one system call offers."""


class Sent(msgspec.Struct, frozen=True):
    count: int
    began: int
    """Just before the first write, nanoseconds of the monotonic clock."""
    late: int
    """Frames that left more than a millisecond after their time."""


def write_all(descriptor: int, data: bytes) -> None:
    """Write to a non-blocking socket and wait while it is full."""
    view = memoryview(data)
    poll: select.poll | None = None
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            if poll is None:
                poll = select.poll()
                poll.register(descriptor, select.POLLOUT)
            poll.poll()


def flood(descriptor: int, frames: list[bytes]) -> Sent:
    chunks = [b"".join(frames[start : start + _CHUNK]) for start in range(0, len(frames), _CHUNK)]
    began = time.monotonic_ns()
    for chunk in chunks:
        write_all(descriptor, chunk)
    return Sent(len(frames), began, 0)


class Schedule:
    """Iterating over it sleeps until the next frame is due."""

    def __init__(self, count: int, rate: int) -> None:
        self.began = time.monotonic_ns()
        self.late = 0
        self._count = count
        self._interval_ns = 1_000_000_000 // rate

    def __iter__(self) -> Iterator[int]:
        sharpen_sleep()
        for number in range(self._count):
            due = self.began + number * self._interval_ns
            ahead = due - time.monotonic_ns()
            if ahead > 0:
                time.sleep(ahead / 1e9)
            elif ahead < -LATE_NS:
                self.late += 1
            yield number


def sharpen_sleep() -> None:
    """Let this thread's sleeps end within a nanosecond of their time instead of Linux's usual 50 µs."""
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
