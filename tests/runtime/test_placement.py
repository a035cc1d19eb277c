"""Which node a host goes to."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from runtime.placement import Node, OnWait, Placement, choose, why_none
from runtime.spec import ActorSpec, Home, HostSpec, HostWaits

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


def test_who_keeps_away_from_a_node_is_never_there() -> None:
    assert choose([HEAD, TOKYO], {}, {"t": 9}, frozenset({"t"}), closed=frozenset({"h"})) == TOKYO
    assert choose([HEAD], {}, {}, NOBODY, closed=frozenset({"h"})) is None
    assert why_none([HEAD], {}, not_on="h") == (
        "waits for a node other than the one where the desk was started: 10.0.0.1 has no label"
    )


def test_who_keeps_something_on_a_node_goes_back_to_it_unless_it_fell_silent() -> None:
    assert choose(NODES, {"zone": "tokyo"}, {"o": 9}, NOBODY, rather_on="o") == OTHER
    assert choose(NODES, {"zone": "tokyo"}, {"o": 9}, frozenset({"o"}), rather_on="o") == TOKYO
    assert choose([TOKYO], {"zone": "tokyo"}, {}, NOBODY, rather_on="o") == TOKYO


def spec(name: str, zone: str = "", home: str = "h", *, abroad: bool = False, journal: str = "") -> HostSpec:
    labels = {"zone": zone} if zone else {}
    actors = [ActorSpec(name, 1, journal)]
    return replace(HostSpec(name, 1, "", "", actors, "", "", "", ""), home=Home(home), labels=labels, abroad=abroad)


async def test_a_journals_owner_goes_back_to_its_node_and_a_follower_is_never_at_home() -> None:
    placement = Placement(told(NODES))
    assert await placement.find(spec("owner", "tokyo", journal="/j"), nobody_waits) == "t"
    for name in ("a", "b", "c"):
        placement.is_at(name, 1, "t")
    placement.has_ended("owner", 1)
    assert await placement.find(replace(spec("owner", "tokyo", journal="/j"), incarnation=2), nobody_waits) == "t"
    assert await placement.find(spec("other", "tokyo"), nobody_waits) == "o"
    for name in ("d", "e", "f"):
        placement.is_at(name, 1, "o")
    assert await placement.find(spec("follower", abroad=True), nobody_waits) in ("t", "o")


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


async def test_a_resource_is_as_good_as_a_label() -> None:
    waited: list[str] = []
    nodes = [HEAD, replace(TOKYO, resources=frozenset({"colo", "gpu_box"})), OTHER]
    placement = Placement(told(nodes))
    assert await placement.find(replace(spec("a"), labels={"resource": "colo"}), nobody_waits) == "t"
    assert await placement.find(replace(spec("b"), labels={"resource": "colo", "zone": "tokyo"}), nobody_waits) == "t"
    missing = replace(spec("c"), labels={"resource": "colo", "zone": "paris"})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await placement.find(missing, lambda waits: waited.append(waits.reason))
    assert waited == [
        "waits for a node with resource=colo, zone=paris: 10.0.0.1 has no label; "
        "10.0.0.2 has zone=tokyo, resource=colo, resource=gpu_box; 10.0.0.3 has disk=fast, zone=tokyo"
    ]


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
    assert await asyncio.wait_for(finding, 60) == "o"


def test_who_yields_is_never_where_another_is_and_who_displaces_prefers_to_be_alone() -> None:
    assert choose(NODES, {}, {}, NOBODY, closed=frozenset({"h", "t"})) == OTHER
    assert choose([HEAD], {}, {}, NOBODY, closed=frozenset({"h"})) is None
    assert choose(NODES, {"zone": "tokyo"}, {"o": 9}, NOBODY, taken=frozenset({"t"})) == OTHER
    assert choose([TOKYO], {"zone": "tokyo"}, {}, NOBODY, taken=frozenset({"t"})) == TOKYO


async def test_a_host_waits_while_the_one_that_it_yields_to_has_no_node_or_the_only_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("runtime.placement.NODE_POLL_S", 0.01)
    nodes = [HEAD]
    placement = Placement(told(nodes))
    second = replace(spec("second"), yields_to=["first"])
    waits: list[HostWaits] = []
    finding = asyncio.create_task(placement.find(second, waits.append))
    async with asyncio.timeout(60):
        while not waits:
            await asyncio.sleep(0.01)
    assert waits[-1].reason == "waits for a node until first has one"
    placement.is_at("first", 1, "h")
    async with asyncio.timeout(60):
        while waits[-1].reason.endswith("has one"):
            await asyncio.sleep(0.01)
    assert waits[-1].reason == "waits for a node without first: 10.0.0.1 has no label and holds first"
    nodes.append(TOKYO)
    assert await asyncio.wait_for(finding, 60) == "t"
    first = replace(spec("first", "tokyo"), incarnation=2, displaces=["second"])
    assert await placement.find(first, waits.append) == "t"
    assert placement.displaced(first) == [("second", 1)]
