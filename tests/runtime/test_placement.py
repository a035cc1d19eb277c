"""Which node a host goes to."""

from runtime.placement import Node, choose, why_none

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
