"""One link of one life: hands what it brings to the actor, and stands between the two ends when either is gone."""

from typing import TYPE_CHECKING

from runtime.actor import FramesReceived, LinkDown, LinkUp
from runtime.links.contract import Link
from runtime.message import Lane

if TYPE_CHECKING:
    from runtime.host.cell import Cell
    from runtime.host.host import Host

FRAMES_PER_TURN = 64
"""What so many have caused leaves before the next are handled, however much one read has brought."""


class HostLink:
    """`Link` for the actor, `LinkEvents` for what carries it out. One that was closed or replaced says nothing more."""

    def __init__(self, host: "Host", cell: "Cell", name: str, lane: Lane) -> None:
        self._host = host
        self._cell = cell
        self._name = name
        self._lane = lane
        self._link: Link | None = None
        self._closed = False
        self._payloads: list[bytes] = []
        self._ts_recv = 0

    def open(self, url: str) -> None:
        self._link = self._host.io.open_link(url, self)

    # -- Link

    def send(self, payload: bytes) -> bool:
        return self._link is not None and self._link.send(payload)

    def close(self) -> None:
        self._closed = True
        self._payloads = []
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
            self.turn_over()

    def turn_over(self) -> None:
        if self._payloads:
            payloads, self._payloads = self._payloads, []
            self._hand_over(FramesReceived(self._name, payloads, self._ts_recv))
        self._host.end_turn()

    def link_down(self, reason: str) -> None:
        self.turn_over()
        if not self._closed:
            self._closed = True
            del self._cell.links[self._name]
            if not self._host.accept(self._cell, self._lane, LinkDown(self._name, reason)):
                self._host.accept(self._cell, Lane.CONTROL, LinkDown(self._name, reason))
            self._host.end_turn()

    def _hand_over(self, message: LinkUp | FramesReceived) -> None:
        """What does not fit into the mailbox is not lost silently: the link is down, and its actor resynchronises."""
        if self._host.accept(self._cell, self._lane, message) or self._closed:
            return
        self.close()
        del self._cell.links[self._name]
        self._host.accept(self._cell, Lane.CONTROL, LinkDown(self._name, "OVERLOADED: its actor's mailbox is full"))
