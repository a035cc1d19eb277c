"""A Ray of our own begins as soon as its node is known, and on a busy machine waits for that."""

import importlib
from types import SimpleNamespace

import pytest

from runtime.clock import NS_PER_S

REGISTERED_S = 100.0


def test_a_node_that_registers_late_is_waited_for_longer_than_ray_would(monkeypatch: pytest.MonkeyPatch) -> None:
    services, state = (importlib.import_module(f"ray._private.{module}") for module in ("services", "state"))
    slim = importlib.import_module("runtime.cluster.slim")
    clock = SimpleNamespace(now=0.0)

    class Known:
        def _initialize_global_state(self, options: object) -> None: ...

        def node_table(self) -> list[dict[str, str]]:
            return [{"NodeID": "n"}] if clock.now >= REGISTERED_S else []

    def pass_time(seconds: float) -> None:
        clock.now += seconds

    monkeypatch.setattr(state, "GlobalState", Known)
    monkeypatch.setattr(services, "_get_gcs_client_options", lambda address: address)
    monkeypatch.setattr(services, "get_node", lambda address, node_id: (node_id, clock.now))
    monkeypatch.setattr(slim, "time", SimpleNamespace(sleep=pass_time))
    monkeypatch.setattr(slim, "WallClock", lambda: SimpleNamespace(now=lambda: int(clock.now * NS_PER_S)))
    with slim.slim():
        node, at = services.get_node("127.0.0.1:1", "n")
    assert node == "n"
    assert REGISTERED_S <= at < REGISTERED_S + 1
