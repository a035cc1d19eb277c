"""One link of one life: hands what it brings to the actor, and stands between the two ends when either is gone."""

from collections import deque
from typing import TYPE_CHECKING

from runtime.actor import FramesReceived, LinkDown, LinkUp
from runtime.clock import NS_PER_MS
from runtime.links.contract import FRAMES_AT_ONCE, Link
from runtime.message import Lane

if TYPE_CHECKING:
    from runtime.host.cell import Cell
    from runtime.host.host import Host

WORK_NS = 1 * NS_PER_MS
"""A link gives way after so much work: one read of a flood may have brought thousands of frames."""


class HostLink:
    """`Link` for the actor, `LinkEvents` for what carries it out. One that was closed or replaced says nothing more.

    What does not fit into a turn is held back, in order, and nothing more is read until it has been handed over: the
    flood waits at the peer, and commands to the actor are looked at every millisecond.
    """

    def __init__(self, host: "Host", cell: "Cell", name: str, lane: Lane) -> None:
        self._host = host
        self._cell = cell
        self._name = name
        self._lane = lane
        self._link: Link | None = None
        self._closed = False
        self._begun = 0
        """When the first frames of this read were handed over; 0 before."""
        self._held: deque[tuple[list[bytes], int]] = deque()

    def open(self, url: str) -> None:
        self._link = self._host.io.open_link(url, self)

    # -- Link

    def send(self, payload: bytes) -> bool:
        return self._link is not None and self._link.send(payload)

    def close(self) -> None:
        self._closed = True
        self._held.clear()
        if self._link is not None:
            self._link.close()

    # -- LinkEvents

    def link_up(self) -> None:
        if not self._closed:
            self._hand_over(LinkUp(self._name))
            self._host.end_turn()

    def frames(self, payloads: list[bytes], ts_recv: int) -> None:
        """What so many as come at once have caused leaves before the next are handled, if there are next ones."""
        is_flood = len(payloads) == FRAMES_AT_ONCE
        if self._held or (is_flood and not self._has_time()):
            self._hold(payloads, ts_recv)
            return
        self._hand_over(FramesReceived(self._name, payloads, ts_recv))
        if is_flood:
            self._host.end_turn()

    def turn_over(self) -> None:
        self._begun = 0
        self._host.end_turn()

    def link_down(self, reason: str) -> None:
        while self._held and not self._closed:
            payloads, ts_recv = self._held.popleft()
            self._hand_over(FramesReceived(self._name, payloads, ts_recv))
        self.turn_over()
        if not self._closed:
            self._closed = True
            del self._cell.links[self._name]
            if not self._host.accept(self._cell, self._lane, LinkDown(self._name, reason)):
                self._host.accept(self._cell, Lane.CONTROL, LinkDown(self._name, reason))
            self._host.end_turn()

    def _has_time(self) -> bool:
        """In this turn, for more than what is in the mailbox."""
        now = self._host.clock.now()
        self._begun = self._begun or now
        return now - self._begun <= WORK_NS and not len(self._cell.mailbox)

    def _hold(self, payloads: list[bytes], ts_recv: int) -> None:
        if not self._held:
            if self._link is not None:
                self._link.pause_reading()
            self._host.loop.call_soon(self._go_on)
        self._held.append((payloads, ts_recv))

    def _go_on(self) -> None:
        """Hand over what was held back, as much as fits into a turn; what is in the mailbox goes first."""
        deadline = self._host.clock.now() + WORK_NS
        while self._held and not self._closed and not len(self._cell.mailbox):
            payloads, ts_recv = self._held.popleft()
            self._hand_over(FramesReceived(self._name, payloads, ts_recv))
            self._host.end_turn()
            if self._host.clock.now() > deadline:
                break
        if self._closed:
            return
        if self._held and len(self._cell.mailbox):
            self._cell.when_drained.append(self._go_on)
        elif self._held:
            self._host.loop.call_soon(self._go_on)
        elif self._link is not None:
            self._link.resume_reading()

    def _hand_over(self, message: LinkUp | FramesReceived) -> None:
        """What does not fit into the mailbox is not lost silently: the link is down, and its actor resynchronises."""
        if self._host.accept(self._cell, self._lane, message) or self._closed:
            return
        self.close()
        del self._cell.links[self._name]
        self._host.accept(self._cell, Lane.CONTROL, LinkDown(self._name, "OVERLOADED: its actor's mailbox is full"))
