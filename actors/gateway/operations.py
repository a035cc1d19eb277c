"""Answering a question takes several messages: a generator that yields what it waits for, and who drives it."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from actors.gateway.requests import Answer, Problem, Refusal
from runtime.address import Address
from runtime.errors import OutcryError


@dataclass(frozen=True)
class Until:
    """Go on when `holds()`, or when the time is over; the generator is sent which of the two it was."""

    holds: Callable[[], bool]
    deadline: int


Steps = Generator[Until, bool, Any]
"""Returns the value of the answer, or raises `Refusal`."""


@dataclass
class _Running:
    reply_to: Address
    number: int
    steps: Steps
    until: Until


class Operations:
    """All that is being answered. An operation never blocks another, and none outlives its deadlines."""

    def __init__(self, answer: Callable[[Address, int, Answer], None]) -> None:
        self._answer = answer
        self._running: list[_Running] = []

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, reply_to: Address, number: int, steps: Steps, now: int) -> None:
        self._advance(_Running(reply_to, number, steps, Until(lambda: True, 0)), None, now)

    def go_on(self, now: int) -> None:
        """Something has happened: resume those that waited for it."""
        for running in list(self._running):
            holds = running.until.holds()
            if holds or now >= running.until.deadline:
                self._running.remove(running)
                self._advance(running, holds, now)

    def next_deadline(self) -> int | None:
        return min((running.until.deadline for running in self._running), default=None)

    def _advance(self, running: _Running, sent: bool | None, now: int) -> None:
        try:
            while True:
                running.until = next(running.steps) if sent is None else running.steps.send(sent)
                sent = running.until.holds()
                if not sent and now < running.until.deadline:
                    self._running.append(running)
                    return
        except StopIteration as end:
            self._answer(running.reply_to, running.number, Answer(end.value))
        except Refusal as refusal:
            self._answer(running.reply_to, running.number, Answer(None, refusal.problem, refusal.reason))
        except OutcryError as error:
            self._answer(running.reply_to, running.number, Answer(None, Problem.REFUSED, str(error)))


def unavailable(reason: str) -> Refusal:
    return Refusal(Problem.UNAVAILABLE, reason)
