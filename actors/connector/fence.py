"""The fence: a process that was frozen, or replaced meanwhile, does not trade."""

from typing import Protocol

from actors.messages import CancelAtVenue
from runtime.clock import NS_PER_MS


class _Command(Protocol):
    @property
    def epoch(self) -> int: ...
    @property
    def deadline(self) -> int: ...


class Fence:
    """Knows the newest order manager that was heard of; lets through what is from it and not late."""

    def __init__(self) -> None:
        self.epoch = 0
        self.lapsed = ""
        """Why nothing new may be sent, although its sender may know better; cancels may."""

    def heard_of(self, epoch: int) -> None:
        self.epoch = max(self.epoch, epoch)

    def objection(self, command: _Command, now: int) -> tuple[str, str] | None:
        """Code and words of the refusal. What passes is to be stamped with the same `now`: frozen between here and the
        wire, it is too old for the venue."""
        if command.epoch < self.epoch:
            return "STALE_EPOCH", f"sent in epoch {command.epoch}, the present one is {self.epoch}"
        if now > command.deadline:
            return "DEADLINE_PASSED", f"{(now - command.deadline) / NS_PER_MS:.3f} ms too late"
        if self.lapsed and not isinstance(command, CancelAtVenue):
            return "RIGHT_LAPSED", self.lapsed
        self.epoch = command.epoch
        return None
