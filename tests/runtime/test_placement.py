"""Which node a host goes to."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from runtime.placement import Node, OnWait, Placement, choose, why_none
from runtime.spec import Home, HostSpec, HostWaits

HEAD = Node("h", "10.0.0.1", {"ray.io/node-id": "h"})
TOKYO = Node("t", "10.0.0.2", {"ray.io/node-id": "t", "zone": "tokyo"})
OTHER = Node("o", "10.0.0.3", {"ray.io/node-id": "o", "zone": "tokyo", "disk": "fast"})
NODES = [OTHER, HEAD, TOKYO]
NOBODY: frozenset[str] = frozenset()


def test_all_labels_have_to_fit() -> None:
    assert choose(NODES, {"zone": "tokyo", "disk": "fast"}, {}, NOBODY) == OTHER
    assert choose(NODES, {"zone": "paris"}, {}, NOBODY) is None
    assert choose([], {"zone": "tokyo"}, {}, NOBODY) is None


def test_equals_are_spread() -> None:
    hosts: dict[str, int] = {}
    for _ in range(4):
        node = choose(NODES, {"zone": "tokyo"}, hosts, NOBODY)
        assert node is not None
        hosts[node.id] = hosts.get(node.id, 0) + 1
    assert hosts == {"t": 2, "o": 2}


def test_a_node_on_which_a_host_fell_silent_is_the_last_choice() -> None:
    assert choose(NODES, {"zone": "tokyo"}, {"o": 9}, frozenset({"t"})) == OTHER
    assert choose([TOKYO], {"zone": "tokyo"}, {}, frozenset({"t"})) == TOKYO


def test_who_waits_is_told_what_there_is() -> None:
    assert why_none([OTHER, HEAD], {"zone": "paris"}) == (
        "waits for a node with zone=paris: 10.0.0.1 has no label; 10.0.0.3 has disk=fast, zone=tokyo"
    )
    assert why_none([], {"zone": "paris"}) == "waits for a node with zone=paris: the cluster has no node"


def spec(name: str, zone: str = "", home: str = "h") -> HostSpec:
    labels = {"zone": zone} if zone else {}
    return replace(HostSpec(name, 1, "", "", [], "", "", "", ""), home=Home(home), labels=labels)


def told(nodes: list[Node]) -> Callable[[OnWait], Awaitable[list[Node]]]:
    async def living(on_wait: OnWait) -> list[Node]:
        return nodes

    return living


def nobody_waits(waits: HostWaits) -> None:
    raise AssertionError(waits)


async def test_without_labels_a_host_is_at_home_and_on_one_machine_nowhere() -> None:
    placement = Placement(told(NODES))
    assert await placement.find(spec("a"), nobody_waits) == "h"
    assert await placement.find(spec("a", "tokyo", home=""), nobody_waits) == ""


async def test_hosts_are_counted_until_they_end() -> None:
    placement = Placement(told(NODES))
    assert [await placement.find(spec(name, "tokyo"), nobody_waits) for name in "abc"] == ["t", "o", "t"]
    placement.has_ended("a", 1)
    placement.has_ended("c", 1)
    assert await placement.find(spec("d", "tokyo"), nobody_waits) == "t"


async def test_the_node_of_a_host_that_had_to_be_killed_is_shunned() -> None:
    placement = Placement(told(NODES))
    assert await placement.find(spec("a", "tokyo"), nobody_waits) == "t"
    placement.had_to_be_killed("a", 1)
    placement.has_ended("a", 1)
    assert await placement.find(replace(spec("a", "tokyo"), incarnation=2), nobody_waits) == "o"


async def test_a_host_waits_until_there_is_a_node_and_says_so_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.placement.NODE_POLL_S", 0.01)
    nodes, waits = [HEAD], asyncio.Queue[HostWaits]()
    finding = asyncio.create_task(Placement(told(nodes)).find(spec("a", "tokyo"), waits.put_nowait))
    for _ in range(3):
        assert await waits.get() == HostWaits("a", 1, "waits for a node with zone=tokyo: 10.0.0.1 has no label")
    nodes.append(OTHER)
    assert await asyncio.wait_for(finding, 5) == "o"
