"""Hosts that are wanted from now on, or not any more: what the supervisor tells whom, as values in, values out."""

from collections.abc import Callable
from typing import Any

from runtime.actor import Started
from runtime.address import Address, StreamKind
from runtime.protocol import (
    ActorVitals,
    DirectoryChanged,
    Heartbeat,
    HostReplaced,
    Reconfigure,
    Reconfigured,
    StopHost,
)
from runtime.spares import Warmth
from runtime.spec import ActorSpec, HostEnded, HostSpec, HostWaits
from runtime.supervision.changes import HostPlan, KillLeaving
from runtime.supervision.policy import RestartPolicy
from runtime.supervision.supervisor import Supervisor
from tests.support.context import RecordingContext

ASKER = Address("asker", 1, StreamKind.UNIX, "/asker")
MB = 1 << 20


def plan(name: str, memory_limit_bytes: int = 0) -> HostPlan:
    spec = HostSpec(name, 1, f"/{name}.{{incarnation}}", "/supervisor", [ActorSpec(name, 1)], "", "", "", "")
    return HostPlan(spec, {name: 0}, memory_limit_bytes)


class Hands:
    """A launcher that notes what it is asked to do."""

    def __init__(self) -> None:
        self.launched: list[tuple[str, int, str]] = []
        self.killed: list[tuple[str, int]] = []
        self.held: dict[str, int] = {}

    def launch(self, spec: HostSpec, notify: Callable[[HostEnded | HostWaits], None]) -> None:
        self.launched.append((spec.name, spec.incarnation, spec.endpoint))

    def adopt(
        self, host: str, incarnation: int, pid: int, carrier: str, notify: Callable[[HostEnded], None]
    ) -> None: ...

    def kill(self, host: str, incarnation: int) -> None:
        self.killed.append((host, incarnation))

    def resident_bytes(self, host: str, incarnation: int) -> int:
        return self.held.get(host, 0)

    def keep_spares(self, count: int, warmth: Warmth) -> None: ...

    def spares(self) -> int:
        return 0


class Run:
    """A supervisor of `a` and `b`; settings are the names of the hosts that are wanted, each with a memory limit."""

    def __init__(self, *names: str) -> None:
        self.ctx = RecordingContext("supervisor")
        self.hands = Hands()
        plans = [plan(name) for name in names]
        self.supervisor = Supervisor(
            plans,
            RestartPolicy(),
            self.hands,
            heartbeat_ns=100_000_000,
            heartbeats_missed=20,
            replan=lambda settings: [plan(name, 100 * MB) for name in settings.split()],
        )
        self.receive(Started())
        for name in names:
            self.beat(name)

    def receive(self, *messages: Any) -> list[Any]:
        """What was told because of it."""
        self.ctx.told.clear()
        for message in messages:
            self.supervisor.receive(message, self.ctx)
        return self.ctx.told

    def beat(self, name: str, incarnation: int = 1) -> list[Any]:
        vitals = [ActorVitals(name, 1, 0, 0, 0, 0)]
        beat = Heartbeat(name, incarnation, 7, "", StreamKind.UNIX, f"/{name}.{incarnation}", 0, vitals)
        return [message for to, message in self.receive(beat) if to == f"host.{name}"]

    def want(self, names: str) -> str:
        told = self.receive(Reconfigure(ASKER, names))
        (answer,) = [message for _, message in told if isinstance(message, Reconfigured)]
        return answer.problem

    def go_on(self) -> None:
        """The timers that are due at once."""
        due = [timer for timer in self.ctx.timers if timer.due <= self.ctx.time]
        self.ctx.timers = [timer for timer in self.ctx.timers if timer.due > self.ctx.time]
        self.receive(*(timer.message for timer in due))


def test_a_host_that_is_not_wanted_is_told_to_stop_and_forgotten_when_it_has() -> None:
    run = Run("a", "b")
    assert run.want("a") == ""
    assert ("host.b", StopHost()) in run.ctx.told
    assert run.want("a b") == "something is still stopping; try again"
    told = run.receive(HostEnded("b", 1, "stopped"))
    ((_, directory),) = [one for one in told if isinstance(one[1], DirectoryChanged)]
    assert (directory.addresses, directory.gone) == ([], ["b"])
    assert directory.lives == {"b": 2}, "what is left of the host is heard by nobody"
    assert run.hands.killed == []
    assert run.want("a b") == ""
    assert run.hands.launched[-1] == ("b", 2, "/b.2")


def test_a_host_that_does_not_stop_is_killed() -> None:
    run = Run("a", "b")
    run.want("a")
    run.receive(KillLeaving("b", 1))
    run.go_on()
    assert run.hands.killed == [("b", 1)]
    assert run.want("a b") == ""


def test_a_host_that_still_waits_for_a_node_is_forgotten_and_what_is_heard_of_it_later_too() -> None:
    run = Run("a")
    run.want("a b")
    run.receive(HostWaits("b", 1, "no node"))
    run.want("a")
    run.go_on()
    assert run.hands.killed == [("b", 1)]
    run.receive(HostWaits("b", 1, "no node"), HostEnded("b", 1, "late"))
    assert run.want("a b") == ""


def test_a_stranger_is_stopped_in_order_and_an_earlier_life_at_once() -> None:
    run = Run("a")
    assert run.beat("gone") == [StopHost()]
    run.receive(HostEnded("a", 1, "silent"))
    assert run.beat("a") == [HostReplaced()]


def test_a_host_that_stays_has_its_new_limit_of_memory_and_one_that_is_gone_has_none() -> None:
    run = Run("a", "b")
    run.hands.held = {"a": 101 * MB, "b": 101 * MB}
    look = run.ctx.timers[0].message
    run.receive(look)
    assert run.hands.killed == []
    run.want("a")
    run.receive(HostEnded("b", 1, "stopped"), look)
    assert run.hands.killed == [("a", 1)]
