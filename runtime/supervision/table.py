"""The supervisor's table: one row for each child, one for each host; what it knows, without deciding anything."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from runtime.actor import Context
from runtime.address import Address
from runtime.directory import NO_VERSION
from runtime.protocol import ActorRow, ActorVitals, Heartbeat, HeartbeatHeard, Reported

LIVES_PER_SUPERVISOR = 1_000
"""Incarnations stay unique although a new supervisor does not know those that ended before it."""


BEATS_BEHIND = 3
"""So many heartbeats may cross what a host is told."""


class ChildState(Enum):
    STARTING = "STARTING"
    READY = "READY"
    BACKOFF = "BACKOFF"
    """It ended and will be started when its delay is over."""
    PARKED = "PARKED"
    """It ended too often; it is probed again later."""
    STOPPED = "STOPPED"


@dataclass
class Child:
    """One actor through all its lives."""

    name: str
    host: str
    phase: int = 0
    """Actors of a lower phase are stopped first."""
    incarnation: int = 0
    state: ChildState = ChildState.STARTING
    restarts: int = 0
    ends: list[int] = field(default_factory=list)
    reason: str = ""
    waits: str = ""
    """What a life that cannot be started yet waits for."""
    address: Address | None = None
    vitals: ActorVitals | None = None
    counters: dict[str, int] = field(default_factory=dict)
    """Of this life."""
    earlier_counters: dict[str, int] = field(default_factory=dict)
    """Summed over the lives before."""
    earlier_handled: int = 0
    earlier_dropped: int = 0
    report: dict[str, Any] = field(default_factory=dict)

    def begin(self, first_incarnation: int) -> None:
        """A new life: what the last one counted is kept."""
        for name, value in self.counters.items():
            self.earlier_counters[name] = self.earlier_counters.get(name, 0) + value
        if self.vitals is not None:
            self.earlier_handled += self.vitals.handled
            self.earlier_dropped += self.vitals.dropped
        self.counters = {}
        self.vitals = None
        self.waits = ""
        self.address = None
        self.incarnation = max(self.incarnation, first_incarnation) + 1
        self.state = ChildState.STARTING

    def heard(self, vitals: ActorVitals, address: Address) -> bool:
        """Take in a heartbeat; True when this life is seen for the first time."""
        if vitals.incarnation < self.incarnation or self.state is ChildState.STOPPED:
            return False
        first = self.address != address
        if vitals.incarnation > self.incarnation:
            self.restarts = max(self.restarts, _earlier_lives(vitals.incarnation))
        self.incarnation = vitals.incarnation
        self.vitals = vitals
        self.address = address
        self.state = ChildState.READY
        self.waits = ""
        return first

    def reported(self, report: Reported) -> None:
        if report.incarnation == self.incarnation:
            self.counters = report.counters
            self.report = report.state
            if report.final:
                self.state = ChildState.STOPPED
                self.address = None

    def row(self, pid: int, node: str) -> ActorRow:
        vitals = self.vitals
        counters = dict(self.earlier_counters)
        for name, value in self.counters.items():
            counters[name] = counters.get(name, 0) + value
        return ActorRow(
            self.name,
            self.host,
            self.state.value,
            pid,
            node,
            self.incarnation,
            self.restarts,
            self.waits or self.reason,
            vitals.depth if vitals else 0,
            vitals.waiting_ns if vitals else 0,
            self.earlier_handled + (vitals.handled if vitals else 0),
            self.earlier_dropped + (vitals.dropped if vitals else 0),
            counters,
            self.report,
            self.address,
        )


def _earlier_lives(incarnation: int) -> int:
    """At least so many there were before this one; exactly, if the first supervisor started it."""
    supervisors, life = divmod(incarnation, LIVES_PER_SUPERVISOR)
    return life if supervisors else life - 1


@dataclass
class HostEntry:
    """One host process through all its lives."""

    name: str
    actors: list[str]
    incarnation: int = 0
    running: bool = False
    seen: int = 0
    """When its last heartbeat came; 0 before the first of this life."""
    launched: int = 0
    agent: Address | None = None
    pid: int = 0
    node: str = ""
    directory_sent: int = NO_VERSION
    behind: int = 0
    """So many of its heartbeats since then had an older version."""
    leaving: bool = False
    """Not wanted any more: when it ends it is not started again."""

    def is_behind(self, has: int, newest: int) -> bool:
        """Its newest heartbeat has an older directory, and what was sent does not come: it has to be sent anew."""
        self.behind = self.behind + 1 if has < newest else 0
        return has < newest and (self.directory_sent != newest or self.behind > BEATS_BEHIND)

    def heard(self, beat: Heartbeat, ctx: Context) -> None:
        """Take in a heartbeat, and answer one that asks for it."""
        self.running = True
        self.incarnation = beat.incarnation
        self.seen = ctx.now()
        self.pid = beat.pid
        self.node = beat.node
        self.agent = beat.address(f"host.{beat.host}", beat.incarnation)
        if beat.asks:
            ctx.tell(self.agent, HeartbeatHeard(beat.asks))
