"""Where twenty connectors run: on three machines, or in three processes of this one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from tests.cluster.desk import desk
from tests.cluster.machines import Network
from tests.desk.runs import Status, outcry_run
from tests.limits.desk import GROUPS, VENUES, CountingThread, counting_venue


class Running(Protocol):
    """A desk."""

    def until(self, holds: Callable[[Status], bool], timeout_s: float) -> Status: ...

    def command(self, *arguments: str, code: int) -> str: ...


class Place(Protocol):
    one_address: list[str]
    """Of the venue for each connector: the same."""
    addresses: list[str]
    """For each another one: to the desk these are twenty different venues."""
    nodes: set[str]
    """On which its connectors are; {""} if it has none."""

    def venue(self, weight_limit: int) -> AbstractContextManager[CountingThread]: ...

    def desk(self, configuration: Mapping[str, Any]) -> AbstractContextManager[Running]: ...


class ThreeMachines:
    """Each has a Ray node with the label zone=z0, z1 or z2; the venue is on the first, and so is the desk."""

    def __init__(self, net: Network) -> None:
        self._net = net
        self.one_address = [net.head.ip] * len(VENUES)
        self.addresses = net.head.other_addresses(len(VENUES))
        self.nodes = {machine.ip for machine in net.machines}

    def venue(self, weight_limit: int) -> AbstractContextManager[CountingThread]:
        return counting_venue("0.0.0.0", weight_limit, self._net.head.enter)

    def desk(self, configuration: Mapping[str, Any]) -> AbstractContextManager[Running]:
        placement = {name: {"zone": f"z{index}"} for index, group in enumerate(GROUPS) for name in group}
        return desk(self._net.head, self._net.address, {**configuration, "placement": placement})


class ThreeProcesses:
    def __init__(self) -> None:
        self.one_address = ["127.0.0.1"] * len(VENUES)
        self.addresses = [f"127.0.1.{number + 1}" for number in range(len(VENUES))]
        self.nodes = {""}

    def venue(self, weight_limit: int) -> AbstractContextManager[CountingThread]:
        return counting_venue("0.0.0.0", weight_limit, lambda: None)

    @contextmanager
    def desk(self, configuration: Mapping[str, Any]) -> Iterator[Running]:
        with outcry_run({**configuration, "cluster": {"backend": "processes"}}, "--quiet") as run:
            yield run
