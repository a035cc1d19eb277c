"""Small actors and messages for tests of the runtime: no trading in them."""

import asyncio
import os
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from runtime import protocol
from runtime.actor import Actor, ActorDown, ActorUp, Context, RefreshRequested, Report, Started, Stopping, Undelivered
from runtime.address import Address
from runtime.message import Lane, Message, Overflow
from runtime.spec import Launcher
from runtime.transport.wire import Codec

PEER = "receiver"


class Number(Message, frozen=True, array_like=True, tag=True):
    value: int


class Latest(Message, frozen=True, array_like=True, tag=True):
    lane: ClassVar[Lane] = Lane.FEED
    overflow: ClassVar[Overflow] = Overflow.LATEST

    value: int


class Step(Message, frozen=True, array_like=True, tag=True):
    """Only makes sense after the step before."""

    lane: ClassVar[Lane] = Lane.FEED
    overflow: ClassVar[Overflow] = Overflow.REFRESH

    value: int

    @property
    def topic(self) -> str:
        return "steps"


class Whole(Message, frozen=True, array_like=True, tag=True):
    """The state after that step."""

    lane: ClassVar[Lane] = Lane.FEED
    overflow: ClassVar[Overflow] = Overflow.LATEST
    refreshes: ClassVar[bool] = True

    value: int

    @property
    def topic(self) -> str:
        return "steps"


class Sleep(Message, frozen=True, array_like=True, tag=True):
    seconds: float


class Fail(Message, frozen=True, array_like=True, tag=True):
    pass


CODEC = Codec(
    [
        Number,
        Latest,
        Step,
        Whole,
        Sleep,
        Fail,
        *(kind for kind in vars(protocol).values() if isinstance(kind, type) and issubclass(kind, Message)),
    ]
)


class Receiver:
    """Remembers what it got; sleeps and fails when told."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.steps: list[int] = []
        self.latest: list[int] = []
        self.broken_chains = 0
        self.heard: list[str] = []

    def receive(self, message: Any, ctx: Context) -> Any:
        match message:
            case Started():
                ctx.subscribe("publisher", "steps", "latest")
            case Number(value):
                self.numbers.append(value)
            case Latest(value):
                self.latest.append(value)
            case Whole(value):
                self.steps.append(value)
            case Step(value):
                self.broken_chains += bool(self.steps) and self.steps[-1] != value - 1
                self.steps.append(value)
            case Sleep(seconds):
                return asyncio.sleep(seconds)
            case Fail():
                raise RuntimeError("told to fail")
            case Stopping():
                self.heard.append("stopping")
            case _:
                pass
        return None

    def report(self) -> Report:
        return Report(
            {"handled": len(self.numbers)},
            {
                "numbers": self.numbers,
                "steps": self.steps[-3:],
                "latest": self.latest[-3:],
                "latest_seen": len(self.latest),
                "broken_chains": self.broken_chains,
            },
        )


class Sender:
    """Sends a thousand numbers to each life of the receiver, and once to a life that is over."""

    def __init__(self) -> None:
        self.lives: list[Address] = []
        self.downs: list[int] = []
        self.undelivered: list[str] = []

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Started():
                ctx.watch(PEER)
                ctx.tell("nobody", Number(0))
            case ActorUp(address):
                self.lives.append(address)
                for value in range(1000):
                    ctx.tell(PEER, Number(value))
                if address.incarnation > 1:
                    ctx.tell(self.lives[0], Number(-1))
            case ActorDown(_, incarnation):
                self.downs.append(incarnation)
            case Undelivered(to, _, reason):
                self.undelivered.append(f"{to}: {reason}")
            case _:
                pass

    def report(self) -> Report:
        return Report({}, {"undelivered": self.undelivered, "downs": self.downs, "lives": len(self.lives)})


class Publisher:
    """Publishes a step and a newest value every millisecond; answers a refresh with the whole state."""

    def __init__(self) -> None:
        self.value = 0
        self.refreshed = 0

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Started() | "tick":
                self.value += 1
                ctx.publish("steps", Step(self.value))
                ctx.publish("latest", Latest(self.value))
                ctx.after(1_000_000, "tick")
            case RefreshRequested("steps"):
                self.refreshed += 1
                ctx.publish("steps", Whole(self.value))
            case _:
                pass

    def report(self) -> Report:
        return Report({}, {"value": self.value, "refreshed": self.refreshed})


ACTORS: dict[str, type[Actor]] = {
    PEER: Receiver,
    "sender": Sender,
    "publisher": Publisher,
}


def build(name: str, settings: str, launcher: Launcher) -> Actor:
    from tests.runtime.playground import supervisor

    return supervisor(settings, launcher) if name == protocol.SUPERVISOR else ACTORS[name]()


def warm(settings: str) -> None:
    """What a spare of toys does: says which process it is."""
    from tests.runtime.playground import Plan

    Path(msgspec.json.decode(settings, type=Plan).folder, f"warm-{os.getpid()}").touch()
