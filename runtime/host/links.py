"""One link of one life: hands what it brings to the actor, and stands between the two ends when either is gone."""

from collections import deque
from typing import TYPE_CHECKING

from runtime.actor import FramesReceived, LinkDown, LinkUp
from runtime.clock import NS_PER_MS
from runtime.links.contract import Link
from runtime.message import Lane

if TYPE_CHECKING:
    from runtime.host.cell import Cell
    from runtime.host.host import Host

FRAMES_PER_TURN = 64
"""What so many have caused leaves before the next are handled, however much one read has brought."""
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
        self._payloads: list[bytes] = []
        self._ts_recv = 0
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
        self._payloads = []
        self._held.clear()
        if self._link is not None:
            self._link.close()

    # -- LinkEvents

    def link_up(self) -> None:
        if not self._closed:
            self._hand_over(LinkUp(self._name))
            self._host.end_turn()

    def frame(self, payload: bytes, ts_recv: int) -> None:
        self._ts_recv = ts_recv
        self._payloads.append(payload)
        if len(self._payloads) == FRAMES_PER_TURN:
            self._take()

    def turn_over(self) -> None:
        if self._held:
            if self._payloads:
                self._hold()
        elif self._payloads:
            payloads, self._payloads = self._payloads, []
            self._hand_over(FramesReceived(self._name, payloads, self._ts_recv))
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

    def _take(self) -> None:
        """Hand these over if there is time left in this turn."""
        now = self._host.clock.now()
        self._begun = self._begun or now
        if self._held or now - self._begun > WORK_NS or len(self._cell.mailbox):
            self._hold()
            return
        payloads, self._payloads = self._payloads, []
        self._hand_over(FramesReceived(self._name, payloads, self._ts_recv))
        self._host.end_turn()

    def _hold(self) -> None:
        if not self._held:
            if self._link is not None:
                self._link.pause_reading()
            self._host.loop.call_soon(self._go_on)
        self._held.append((self._payloads, self._ts_recv))
        self._payloads = []

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
