"""The host's own actor: introduces it to the supervisor, sends heartbeats and reports, starts and stops actors."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from runtime.actor import Context, Finishing, Report, Started, Stopping, Undelivered
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.directory import NO_VERSION
from runtime.errors import Bug, needs_somebody
from runtime.host.cell import Cell
from runtime.host.host import BuildActor, Host
from runtime.host.lease import Lease
from runtime.host.solitude import Solitude
from runtime.journal.log import Durability, Journal
from runtime.protocol import (
    SUPERVISOR,
    ActorFailed,
    DirectoryChanged,
    Heartbeat,
    HeartbeatHeard,
    HostReplaced,
    Reported,
    StartActor,
    StopActors,
    StopHost,
)
from runtime.spec import ActorSpec, Launcher

HEARTBEATS_PER_REPORT = 5


FINISH_POLL_NS = 10 * NS_PER_MS
FINISH_TRIES = 300


class _Beat:
    """Timer: time for a heartbeat."""


class _LookAgain(msgspec.Struct, frozen=True):
    """Timer: have these finished?"""

    names: list[str]
    tries: int


class HostAgent:
    """Lives as long as its host. Guarantees: a heartbeat comes from the loop that runs the actors, or not at all."""

    def __init__(self, host: Host, build: BuildActor, launcher: Launcher, stopped: Callable[[], None]) -> None:
        self._host = host
        self._build = build
        self._launcher = launcher
        self._stopped = stopped
        self._beats = 0
        self._ending = False
        self._lease = Lease(host.spec.lease_ns)
        self._solitude = Solitude(host.spec.alone_ns)

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Started():
                for spec in self._host.spec.actors:
                    self._start(spec, ctx)
                self._beat(ctx)
            case _Beat():
                self._beat(ctx)
            case HeartbeatHeard(asks):
                if self._lease.answered(asks, ctx.now()):
                    ctx.log.info("supervisor_heard_again")
                    self._host.supervisor_is_back()
            case DirectoryChanged(version, addresses, lives, since, gone):
                if since == NO_VERSION:
                    self._host.replace_directory(version, addresses)
                else:
                    self._host.change_directory(since, version, addresses, gone)
                self._host.fence(lives)
            case StartActor(spec, settings):
                self._start(spec, ctx, settings)
                self._beat_now(ctx)
            case StopActors(names):
                self._stop(names, ctx)
            case StopHost():
                self._end(ctx)
            case HostReplaced():
                ctx.log.error("host_replaced", life=self._host.spec.incarnation)
                for cell in self._host.cells():
                    if cell.name != ctx.name:
                        self._host.remove(cell.name)
                self._stopped()
            case _LookAgain(names, tries):
                self._end_when_finished(names, tries, ctx)
            case Undelivered(_, Heartbeat()):
                if self._solitude.lasts_too_long(ctx.now()) and not self._ending:
                    ctx.log.error("supervisor_gone", name=self._host.spec.name)
                    self._end(ctx)
            case Undelivered() | Stopping():
                pass
            case _:
                ctx.log.warning("unexpected_message", message=type(message).__name__)

    def report(self) -> Report:
        return Report()

    def _start(self, spec: ActorSpec, ctx: Context, settings: str = "") -> None:
        living = self._host.cell(spec.name)
        if living is not None and living.address.incarnation >= spec.incarnation:
            return
        self._host.remove(spec.name)
        try:
            self._begin(spec, ctx, settings or self._host.spec.settings)
        except Exception as error:
            ctx.log.error("actor_not_built", actor=spec.name, error=repr(error), exc_info=error)
            reason = f"{type(error).__name__}: {error}"
            ctx.tell(SUPERVISOR, ActorFailed(spec.name, spec.incarnation, reason, needs_somebody(error)))

    def _begin(self, spec: ActorSpec, ctx: Context, settings: str) -> None:
        if spec.follower:
            self._begin_owner(spec, settings)
            return
        durability = Durability(self._host.spec.durability)
        journal = Journal.open(Path(spec.journal), durability) if spec.journal else None
        if journal is not None and journal.cut is not None:
            ctx.log.warning("journal_tail_cut", actor=spec.name, cut=str(journal.cut))
        actor = self._build(spec.name, settings, self._launcher)
        self._host.start(spec.name, spec.incarnation, actor, journal)

    def _begin_owner(self, spec: ActorSpec, settings: str) -> None:
        """Its journal is opened when it is known which one is the newest."""
        from runtime.replication.owner import Owner

        def opened(journal: Journal) -> None:
            cell = self._host.cell(spec.name)
            if cell is None or cell.actor is not owner:
                raise Bug(f"{spec.name} opens its journal after its life")
            cell.journal = journal

        owner = Owner(
            self._build(spec.name, settings, self._launcher),
            Path(spec.journal),
            Path(spec.copy),
            spec.follower,
            spec.run,
            self._host.spec.address(spec.name, spec.incarnation),
            opened,
        )
        self._host.start(spec.name, spec.incarnation, owner)

    def _beat(self, ctx: Context) -> None:
        self._beat_now(ctx)
        now = ctx.now()
        if self._lease.lapses(now):
            ctx.log.error("lease_lapsed", silence_ms=self._lease.silence_ns(now) // NS_PER_MS)
            self._host.supervisor_is_lost(f"has not heard this host for {self._lease.silence_ns(now) / NS_PER_S:.1f} s")
        self._beats += 1
        if self._beats % HEARTBEATS_PER_REPORT == 0:
            for cell in self._host.cells():
                if cell.name != ctx.name and not cell.busy:
                    self._report(cell, ctx, final=False)
            self._ship_measures(ctx)
        ctx.after(self._host.spec.heartbeat_ns, _Beat())

    def _beat_now(self, ctx: Context) -> None:
        self._host.beat(ctx.now())
        spec = self._host.spec
        vitals = [row for row in self._host.vitals() if row.name != ctx.name]
        ctx.tell(
            SUPERVISOR,
            Heartbeat(
                spec.name,
                spec.incarnation,
                os.getpid(),
                spec.tcp.rpartition(":")[0] or socket.gethostname(),
                spec.kind,
                spec.endpoint,
                self._host.directory.version,
                vitals,
                spec.machine,
                spec.tcp,
                spec.carrier,
                self._lease.asks(ctx.now()),
            ),
        )

    def _report(self, cell: Cell, ctx: Context, *, final: bool) -> None:
        try:
            report = cell.actor.report()
        except Exception as error:
            self._host.fail(cell, error)
            return
        counters = dict(report.counters)
        if self._host.strangers.count and cell.name == self._host.spec.actors[0].name:
            counters["strangers_refused"] = self._host.strangers.count
        ctx.tell(SUPERVISOR, Reported(cell.name, cell.address.incarnation, counters, dict(report.state), final))

    def _ship_measures(self, ctx: Context) -> None:
        if self._host.spec.measures:
            for measured in self._host.measures.take():
                ctx.tell(self._host.spec.measures, measured)

    def _end(self, ctx: Context) -> None:
        self._ending = True
        self._stop([cell.name for cell in self._host.cells() if cell.name != ctx.name], ctx)

    def _stop(self, names: list[str], ctx: Context) -> None:
        for name in reversed(names):
            self._host.stop(name)
        ctx.after(0, _LookAgain(names, FINISH_TRIES))

    def _end_when_finished(self, names: list[str], tries: int, ctx: Context) -> None:
        """Report for the last time and end, when each has handled `Stopping` and finished, or took too long over it."""
        cells = [cell for name in names if (cell := self._host.cell(name)) is not None]
        if tries and any(_is_under_way(cell) for cell in cells):
            ctx.after(FINISH_POLL_NS, _LookAgain(names, tries - 1))
            return
        for cell in cells:
            self._report(cell, ctx, final=True)
            self._host.remove(cell.name)
        if self._ending:
            self._ship_measures(ctx)
            self._stopped()


def _is_under_way(cell: Cell) -> bool:
    if cell.busy or len(cell.mailbox):
        return True
    return isinstance(cell.actor, Finishing) and not cell.actor.is_finished()
