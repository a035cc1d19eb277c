"""Hosts that are wanted from now on, or not any more: what the supervisor should run may change while it runs."""

from collections.abc import Callable, Sequence

import msgspec

from runtime.actor import Context
from runtime.clock import NS_PER_S
from runtime.errors import ConfigError
from runtime.protocol import StopHost
from runtime.spec import HostEnded, HostSpec, Launcher
from runtime.supervision.table import Child, HostEntry

STOP_GRACE_NS = 6 * NS_PER_S
"""What has not stopped so long after it was told is killed with its host."""
BUSY = "the supervisor is starting or stopping; try again"
"""Why it takes over nothing new now."""


class HostPlan(msgspec.Struct, frozen=True):
    """A host that should run. `spec.actors` are its children; incarnations in it are ignored."""

    spec: HostSpec
    phases: dict[str, int]
    """Actor → when it is stopped: those of a lower phase first."""
    memory_limit_bytes: int = 0
    """A process that holds more is killed, as one that hangs; 0 for no limit."""


Replan = Callable[[str], list[HostPlan]]
"""Makes new plans of settings, and sees to it that the next life of the supervisor begins with them; raises
`ConfigError`, and has done nothing then."""


class KillLeaving(msgspec.Struct, frozen=True):
    """Timer: has it stopped?"""

    host: str
    incarnation: int


class Changes:
    """Keeps the supervisor's tables in line with the newest plans. No incarnation of a name is ever given twice."""

    def __init__(
        self,
        replan: Replan | None,
        plans: dict[str, HostPlan],
        hosts: dict[str, HostEntry],
        children: dict[str, Child],
        launcher: Launcher,
        launch: Callable[[HostEntry, Context], None],
        directory_changed: Callable[[Context, Sequence[str]], None],
    ) -> None:
        self._replan = replan
        self._plans = plans
        self._hosts = hosts
        self._children = children
        self._launcher = launcher
        self._launch = launch
        self._directory_changed = directory_changed
        self._past_hosts: dict[str, int] = {}
        self._past_children: dict[str, int] = {}

    def begin(self, plan: HostPlan) -> HostEntry:
        """It is wanted from now on, and is still to be launched."""
        name = plan.spec.name
        actors = [actor.name for actor in plan.spec.actors]
        self._plans[name] = plan
        entry = self._hosts[name] = HostEntry(name, actors, self._past_hosts.get(name, 0))
        for actor in actors:
            self._children[actor] = Child(actor, name, plan.phases[actor], self._past_children.get(actor, 0))
        return entry

    def make(self, settings: str, ctx: Context) -> str:
        """Let those run that these settings ask for. Returns why not, or ""."""
        try:
            leaving, wanted = self._apply(settings)
        except ConfigError as error:
            return str(error)
        for entry in leaving:
            self._leave(entry, ctx)
        for entry in wanted:
            self._launch(entry, ctx)
        return ""

    def kill_leaving(self, timer: KillLeaving, ctx: Context) -> None:
        entry = self._hosts.get(timer.host)
        if entry is not None and entry.leaving and entry.incarnation == timer.incarnation:
            self.end(entry, "did not stop in time", ctx)

    def remove(self, entry: HostEntry, ctx: Context) -> None:
        """It has ended and is not wanted any more."""
        self._past_hosts[entry.name] = entry.incarnation
        for name in entry.actors:
            self._past_children[name] = self._children.pop(name).incarnation
        del self._hosts[entry.name], self._plans[entry.name]
        self._directory_changed(ctx, entry.actors)

    def past_lives(self) -> dict[str, int]:
        """By host: what is not there any more is heard only from a later life."""
        return {name: incarnation + 1 for name, incarnation in self._past_hosts.items()}

    def _leave(self, entry: HostEntry, ctx: Context) -> None:
        """Its actors handle `Stopping` and finish; then it is forgotten. One that takes too long over it is killed."""
        if not entry.running:
            self.remove(entry, ctx)
        elif entry.agent is None:
            self.end(entry, "not wanted any more", ctx)
        else:
            ctx.tell(entry.agent, StopHost())
            ctx.after(STOP_GRACE_NS, KillLeaving(entry.name, entry.incarnation))

    def end(self, entry: HostEntry, reason: str, ctx: Context) -> None:
        """At once, without its help."""
        self._launcher.kill(entry.name, entry.incarnation)
        ctx.after(0, HostEnded(entry.name, entry.incarnation, reason))

    def _apply(self, settings: str) -> tuple[list[HostEntry], list[HostEntry]]:
        """Take over new plans; returns (hosts to stop, hosts to launch). Those that stay are not touched, and have the
        new settings in their next lives. Raises `ConfigError`, and then nothing has changed.
        """
        if self._replan is None:
            raise ConfigError("this run cannot be changed while it runs")
        if any(entry.leaving for entry in self._hosts.values()):
            raise ConfigError("something is still stopping; try again")
        plans = {plan.spec.name: plan for plan in self._replan(settings)}
        leaving = [entry for name, entry in self._hosts.items() if name not in plans]
        for entry in leaving:
            entry.leaving = True
        wanted = []
        for name, plan in plans.items():
            if name in self._hosts:
                spec = msgspec.structs.replace(plan.spec, endpoint=self._plans[name].spec.endpoint)
                self._plans[name] = msgspec.structs.replace(plan, spec=spec)
            else:
                wanted.append(self.begin(plan))
        return leaving, wanted
