"""Hosts that are wanted from now on, or not any more: what the supervisor should run may change while it runs."""

from collections.abc import Callable

import msgspec

from runtime.errors import ConfigError
from runtime.spec import HostSpec
from runtime.supervision.table import Child, HostEntry


class HostPlan(msgspec.Struct, frozen=True):
    """A host that should run. `spec.actors` are its children; incarnations in it are ignored."""

    spec: HostSpec
    phases: dict[str, int]
    """Actor → when it is stopped: those of a lower phase first."""


Replan = Callable[[str], list[HostPlan]]
"""Makes new plans of settings, and sees to it that the next life of the supervisor begins with them; raises
`ConfigError`, and has done nothing then."""


class Changes:
    """Keeps the supervisor's tables in line with the newest plans. No incarnation of a name is ever given twice."""

    def __init__(
        self,
        replan: Replan | None,
        plans: dict[str, HostPlan],
        hosts: dict[str, HostEntry],
        children: dict[str, Child],
    ) -> None:
        self._replan = replan
        self._plans = plans
        self._hosts = hosts
        self._children = children
        self._past_hosts: dict[str, int] = {}
        self._past_children: dict[str, int] = {}

    def apply(self, settings: str) -> tuple[list[HostEntry], list[HostEntry]]:
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
                self._plans[name] = HostPlan(spec, plan.phases)
            else:
                self._plans[name] = plan
                wanted.append(self._begin(plan))
        return leaving, wanted

    def forget(self, entry: HostEntry) -> None:
        """It has ended and is not wanted any more."""
        self._past_hosts[entry.name] = entry.incarnation
        for name in entry.actors:
            self._past_children[name] = self._children.pop(name).incarnation
        del self._hosts[entry.name], self._plans[entry.name]

    def _begin(self, plan: HostPlan) -> HostEntry:
        name = plan.spec.name
        actors = [actor.name for actor in plan.spec.actors]
        entry = self._hosts[name] = HostEntry(name, actors, self._past_hosts.get(name, 0))
        for actor in actors:
            self._children[actor] = Child(actor, name, plan.phases[actor], self._past_children.get(actor, 0))
        return entry
