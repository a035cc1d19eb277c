"""The supervisor: starts everybody, watches everybody, restarts with backoff, and owns the directory.

Its state is soft: every heartbeat says all about a host, so a supervisor that begins to live anew adopts what lives.
Data streams between the others and goes on without it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from runtime.actor import ActorDown, ActorUp, Context, Report, Started, Stopping, Undelivered
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.directory import NO_VERSION
from runtime.protocol import (
    SUPERVISOR,
    ActorFailed,
    ActorRow,
    AskTable,
    Heartbeat,
    HostReplaced,
    Reconfigure,
    Reconfigured,
    Reported,
    StartActor,
    StopActors,
    StopHost,
    StopRun,
    TableTold,
)
from runtime.spares import Warmth
from runtime.spec import HostEnded, HostWaits, Launcher
from runtime.supervision.announcements import Announcements
from runtime.supervision.changes import BUSY, STOP_GRACE_NS, Changes, HostPlan, KillLeaving, Replan
from runtime.supervision.patience import Patience
from runtime.supervision.policy import Park, RestartPolicy, decide
from runtime.supervision.table import LIVES_PER_SUPERVISOR, Child, ChildState, HostEntry

NO_WARMTH = Warmth()
CALM_NS = 1 * NS_PER_S
"""So long no host has to be starting before a spare is: what is wanted now comes before what may be wanted later."""


class _Look:
    """Timer: look for hosts that are silent."""


class _RestartHost(msgspec.Struct, frozen=True):
    host: str
    incarnation: int


class _RestartChild(msgspec.Struct, frozen=True):
    name: str
    incarnation: int


class _KillPhase(msgspec.Struct, frozen=True):
    phase: int


class Supervisor:
    def __init__(
        self,
        plans: list[HostPlan],
        policy: RestartPolicy,
        launcher: Launcher,
        *,
        heartbeat_ns: int,
        heartbeats_missed: int,
        spares: int = 0,
        warmth: Warmth = NO_WARMTH,
        replan: Replan | None = None,
    ) -> None:
        """`spares` warm processes are kept ready while all hosts are well; `replan` as of `Changes`."""
        self._plans: dict[str, HostPlan] = {}
        self._hosts: dict[str, HostEntry] = {}
        self._children: dict[str, Child] = {}
        self._policy = policy
        self._launcher = launcher
        self._heartbeat_ns = heartbeat_ns
        self._patience = Patience(heartbeat_ns * heartbeats_missed, launcher, self._plans)
        self._spares = spares
        self._warmth = warmth
        self._calm_since = 0
        """The last time that a host was starting."""
        parts = (self._plans, self._hosts, self._children)
        self._changes = Changes(replan, *parts, launcher, self._launch, self._directory_changed)
        for plan in plans:
            self._changes.begin(plan)
        self._announcements = Announcements()
        self._stopping = False
        self._phase = -1
        self._first_incarnation = 0
        self._unheard: set[str] = set()
        """Hosts of an earlier life of the supervisor that have not spoken up yet."""
        self._own: Heartbeat | None = None

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Heartbeat():
                self._heartbeat(message, ctx)
            case Reported(name):
                child = self._children.get(name)
                if child is not None:
                    child.reported(message)
                    if message.final:
                        self._directory_changed(ctx)
                        self._next_phase_if_over(ctx)
            case Reconfigure(reply_to, settings):
                is_busy = self._stopping or bool(self._unheard)
                ctx.tell(reply_to, Reconfigured(BUSY if is_busy else self._changes.make(settings, ctx)))
            case AskTable(reply_to):
                ctx.tell(reply_to, self.table(ctx))
            case ActorFailed():
                self._actor_failed(message, ctx)
            case HostEnded():
                self._host_ended(message, ctx)
            case HostWaits():
                self._host_waits(message, ctx)
            case _Look():
                self._look(ctx)
            case _RestartHost(name, incarnation):
                entry = self._hosts.get(name)
                if entry is not None and entry.incarnation == incarnation and not entry.running and not self._stopping:
                    self._launch(entry, ctx)
            case _RestartChild(name, incarnation):
                self._restart_child(name, incarnation, ctx)
            case StopRun(reason):
                if not self._stopping:
                    ctx.log.info("stopping", reason=reason)
                    self._stopping = True
                    self._launcher.keep_spares(0, self._warmth)
                    self._stop_waiting()
                    self._stop_phase(min((child.phase for child in self._children.values()), default=0), ctx)
            case KillLeaving():
                self._changes.kill_leaving(message, ctx)
            case _KillPhase(phase):
                self._kill_phase(phase, ctx)
            case Started():
                self._start(ctx)
            case Undelivered() | ActorUp() | ActorDown() | Stopping():
                pass
            case _:
                ctx.log.warning("unexpected_message", message=type(message).__name__)

    def report(self) -> Report:
        return Report()

    def table(self, ctx: Context) -> TableTold:
        rows = [self._own_row(ctx)]
        for child in self._children.values():
            entry = self._hosts[child.host]
            rows.append(child.row(entry.pid, entry.node))
        return TableTold(rows, self._stopping, self._launcher.spares())

    def _own_row(self, ctx: Context) -> ActorRow:
        child = Child(ctx.name, ctx.name, 0, ctx.incarnation, ChildState.READY, restarts=ctx.incarnation - 1)
        if self._own is not None:
            child.vitals = next((row for row in self._own.actors if row.name == ctx.name), None)
        return child.row(self._own.pid if self._own else 0, self._own.node if self._own else "")

    # -- starting

    def _start(self, ctx: Context) -> None:
        """Adopt what lives: hosts of an earlier life of the supervisor speak up within a heartbeat or three."""
        self._first_incarnation = (ctx.incarnation - 1) * LIVES_PER_SUPERVISOR
        self._announcements.begin(ctx.incarnation)
        if ctx.incarnation == 1:
            for entry in sorted(self._hosts.values(), key=self._starts_late):
                self._launch(entry, ctx)
        else:
            now = ctx.now()
            for entry in self._hosts.values():
                entry.running = True
                entry.launched = now
                entry.seen = now
            self._unheard = set(self._hosts)
        ctx.after(self._heartbeat_ns, _Look())

    def _starts_late(self, entry: HostEntry) -> bool:
        """Those that are stopped last only look on; on a busy machine they need not be the first to start."""
        last = max(child.phase for child in self._children.values())
        return all(self._children[name].phase == last for name in entry.actors)

    def _launch(self, entry: HostEntry, ctx: Context) -> None:
        entry.incarnation = max(entry.incarnation, self._first_incarnation) + 1
        entry.running = True
        entry.seen = 0
        entry.launched = ctx.now()
        entry.directory_sent = NO_VERSION
        plan = self._plans[entry.name]
        actors = []
        for actor in plan.spec.actors:
            child = self._children[actor.name]
            child.begin(self._first_incarnation)
            actors.append(msgspec.structs.replace(actor, incarnation=child.incarnation))
        spec = msgspec.structs.replace(
            plan.spec,
            incarnation=entry.incarnation,
            endpoint=plan.spec.endpoint.format(incarnation=entry.incarnation),
            actors=actors,
        )
        ctx.log.info("host_launched", name=entry.name, life=entry.incarnation)
        self._launcher.launch(spec, lambda event: self._notice(event, ctx))

    @staticmethod
    def _notice(event: HostEnded | HostWaits, ctx: Context) -> None:
        ctx.after(0, event)

    # -- hearing

    def _heartbeat(self, beat: Heartbeat, ctx: Context) -> None:
        if beat.host == SUPERVISOR:
            self._own = beat
            return
        entry = self._hosts.get(beat.host)
        if entry is None:  # an earlier life of the supervisor died over stopping it
            ctx.tell(beat.address(f"host.{beat.host}", beat.incarnation), StopHost())
            return
        if beat.incarnation < entry.incarnation or (beat.incarnation == entry.incarnation and not entry.running):
            # Given up already, and what it held is down for everybody: it may not come back, only end.
            ctx.tell(beat.address(f"host.{beat.host}", beat.incarnation), HostReplaced())
            return
        if beat.incarnation > entry.incarnation:
            self._launcher.adopt(
                beat.host, beat.incarnation, beat.pid, beat.carrier, lambda event: self._notice(event, ctx)
            )
        entry.heard(beat, ctx)
        changed = beat.host in self._unheard
        self._unheard.discard(beat.host)
        for vitals in beat.actors:
            child = self._children.get(vitals.name)
            if child is not None and child.heard(vitals, beat.address(vitals.name, vitals.incarnation)):
                changed = True
                ctx.log.info("actor_ready", actor=child.name, life=child.incarnation, pid=beat.pid)
        if changed:
            self._directory_changed(ctx)
        elif entry.is_behind(beat.directory, self._announcements.version):
            entry.directory_sent = NO_VERSION
            self._send_directory(entry, ctx)

    def _directory_changed(self, ctx: Context, ended: Sequence[str] = ()) -> None:
        lives = {host.name: host.incarnation + (not host.running) for host in self._hosts.values()}
        addresses = [child.address for child in self._children.values() if child.address is not None]
        self._announcements.advance(addresses, self._changes.past_lives() | lives, ended)
        for entry in self._hosts.values():
            self._send_directory(entry, ctx)

    def _send_directory(self, entry: HostEntry, ctx: Context) -> None:
        """Not before every host has spoken up or is given up: who is not listed is taken for down."""
        if entry.agent is not None and entry.running and not self._unheard:
            ctx.tell(entry.agent, self._announcements.since(entry.directory_sent))
            entry.directory_sent, entry.behind = self._announcements.version, 0

    # -- ends

    def _host_ended(self, ended: HostEnded, ctx: Context) -> None:
        entry = self._hosts.get(ended.host)
        if entry is None or ended.incarnation != entry.incarnation or not entry.running:
            return
        entry.running = False
        entry.agent = None
        self._unheard.discard(ended.host)
        for name in entry.actors:
            self._children[name].address = None
        if entry.leaving and not self._stopping:
            self._changes.remove(entry, ctx)
            return
        if self._stopping:
            for name in entry.actors:
                self._children[name].state = ChildState.STOPPED
            self._next_phase_if_over(ctx)
            return
        self._directory_changed(ctx, entry.actors)
        delay = 0
        for name in entry.actors:
            delay = max(delay, self._ended(self._children[name], ended.reason, ctx))
        ctx.log.warning(
            "host_ended",
            name=ended.host,
            life=ended.incarnation,
            reason=ended.reason,
            delay_ms=delay // NS_PER_MS,
        )
        ctx.after(delay, _RestartHost(entry.name, entry.incarnation))

    def _host_waits(self, waits: HostWaits, ctx: Context) -> None:
        entry = self._hosts.get(waits.host)
        if entry is not None and waits.incarnation == entry.incarnation and entry.running:
            entry.launched = ctx.now()
            for name in entry.actors:
                if self._children[name].waits != waits.reason:
                    ctx.log.warning("host_waits", name=entry.name, reason=waits.reason)
                self._children[name].waits = waits.reason

    def _actor_failed(self, failed: ActorFailed, ctx: Context) -> None:
        child = self._children.get(failed.name)
        if child is None or failed.incarnation != child.incarnation or self._stopping:
            return
        child.address = None
        self._directory_changed(ctx, (child.name,))
        delay = self._ended(child, failed.error, ctx, needs_somebody=failed.needs_somebody)
        ctx.log.warning("actor_failed", actor=child.name, error=failed.error, delay_ms=delay // NS_PER_MS)
        ctx.after(delay, _RestartChild(child.name, child.incarnation))

    def _ended(self, child: Child, reason: str, ctx: Context, *, needs_somebody: bool = False) -> int:
        """Note the end of a life; returns the delay until the next."""
        now = ctx.now()
        decision = decide(self._policy, child.ends, now, ctx.random)
        if needs_somebody:
            decision = Park(self._policy.park_ns)
        child.ends = [end for end in child.ends if now - end < self._policy.period_ns] + [now]
        child.restarts += 1
        child.reason = reason
        child.state = ChildState.PARKED if isinstance(decision, Park) else ChildState.BACKOFF
        return decision.after_ns

    def _restart_child(self, name: str, incarnation: int, ctx: Context) -> None:
        """Give a failed actor a new life in the host that it had, which goes on."""
        child = self._children.get(name)
        if child is None or child.incarnation != incarnation or self._stopping:
            return
        entry = self._hosts[child.host]
        if not entry.running or entry.agent is None or entry.leaving:
            return
        child.begin(self._first_incarnation)
        spec = self._plans[entry.name].spec
        actor = next(actor for actor in spec.actors if actor.name == name)
        ctx.tell(entry.agent, StartActor(msgspec.structs.replace(actor, incarnation=child.incarnation), spec.settings))

    def _look(self, ctx: Context) -> None:
        now = ctx.now()
        self._patience.looks(self._hosts.values(), now)
        for entry in self._hosts.values():
            if not entry.running:
                continue
            reason = self._patience.given_up(entry, now)
            if reason:
                self._changes.end(entry, reason, ctx)
        self._keep_spares(now)
        ctx.after(self._heartbeat_ns, _Look())

    def _keep_spares(self, now: int) -> None:
        if any(entry.running and not entry.seen for entry in self._hosts.values()) or self._unheard:
            self._calm_since = now
        elif self._spares and not self._stopping and now - self._calm_since >= CALM_NS:
            self._launcher.keep_spares(self._spares, self._warmth)

    # -- stopping

    def _stop_waiting(self) -> None:
        """Who waits for a new life gets none."""
        for child in self._children.values():
            if child.state in (ChildState.BACKOFF, ChildState.PARKED) or not self._hosts[child.host].running:
                child.state = ChildState.STOPPED

    def _stop_phase(self, phase: int, ctx: Context) -> None:
        """Stop the actors of one phase, and with its last actor each host; the next phase follows when that is done."""
        self._phase = phase
        for entry in self._hosts.values():
            children = [self._children[name] for name in entry.actors]
            names = [child.name for child in children if child.phase == phase]
            if not names or not entry.running or entry.agent is None:
                continue
            is_last = all(child.phase <= phase for child in children)
            ctx.tell(entry.agent, StopHost() if is_last else StopActors(names))
        ctx.after(STOP_GRACE_NS, _KillPhase(phase))
        self._next_phase_if_over(ctx)

    def _next_phase_if_over(self, ctx: Context) -> None:
        if not self._stopping or any(self._is_stopping(child) for child in self._children.values()):
            return
        later = sorted({child.phase for child in self._children.values() if child.phase > self._phase})
        if later:
            self._stop_phase(later[0], ctx)

    def _is_stopping(self, child: Child) -> bool:
        """It belongs to the phase, or an earlier one, and has not ended; a host ends with the last of its actors."""
        entry = self._hosts[child.host]
        is_last = all(self._children[name].phase <= self._phase for name in entry.actors)
        return child.phase <= self._phase and entry.running and (is_last or child.state is not ChildState.STOPPED)

    def _kill_phase(self, phase: int, ctx: Context) -> None:
        """Time is over for what has not stopped by itself."""
        if phase != self._phase:
            return
        for entry in self._hosts.values():
            if entry.running and any(self._is_stopping(self._children[name]) for name in entry.actors):
                self._changes.end(entry, "did not stop in time", ctx)
