"""A link whose actor's mailbox is full: it goes down instead of losing frames silently."""

from types import SimpleNamespace
from typing import Any

from runtime.actor import FramesReceived, LinkDown
from runtime.clock import WallClock
from runtime.host.links import HostLink
from runtime.message import Lane


class FullHost:
    """Takes control messages only."""

    def __init__(self) -> None:
        self.taken: list[object] = []
        self.clock = WallClock()

    def accept(self, cell: object, lane: Lane, message: object) -> bool:
        if lane is Lane.CONTROL:
            self.taken.append(message)
        return lane is Lane.CONTROL

    def end_turn(self) -> None: ...


def test_frames_that_do_not_fit_take_the_link_down() -> None:
    host: Any = FullHost()
    cell: Any = SimpleNamespace(links={}, mailbox=())
    link = cell.links["orders"] = HostLink(host, cell, "orders", Lane.COMMANDS)
    link.frames([b"{}"], 1)
    link.turn_over()
    assert host.taken == [LinkDown("orders", "OVERLOADED: its actor's mailbox is full")]
    assert cell.links == {}
    assert not any(isinstance(message, FramesReceived) for message in host.taken)


def test_the_end_of_a_link_is_told_even_to_a_full_mailbox() -> None:
    host: Any = FullHost()
    cell: Any = SimpleNamespace(links={}, mailbox=())
    link = cell.links["orders"] = HostLink(host, cell, "orders", Lane.COMMANDS)
    link.link_down("cut")
    assert host.taken == [LinkDown("orders", "cut")]
