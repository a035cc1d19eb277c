"""On which nodes a venue's connectors are, those that come while the desk runs like those that were there before."""

from pathlib import Path
from typing import Any

import pytest

from actors import plan
from actors.configuration import load
from actors.gateway.requests import SetShards
from actors.placing import labels_of, without_venue
from actors.settings import Configuration
from actors.sharing import sharing_of
from actors.venues.feed_limits import on_each_address
from runtime.clock import NS_PER_S
from runtime.errors import ConfigError
from runtime.spec import HostSpec
from tests.configuration.test_mistakes import GOOD
from tests.shards.test_sharing import NEW, OLD, Everybody

TOKYO, PARIS, OSAKA = ({"zone": zone} for zone in ("tokyo", "paris", "osaka"))
PLACEMENT = {"connector.binance": TOKYO, "connector.binance.2": PARIS, "standby.binance": OSAKA}


def configuration(shards: int, placement: dict[str, dict[str, str]], **venue: Any) -> Configuration:
    settings = {"kind": "binance", "symbols": ["BTCUSDT", "ETHUSDT"], "shards": shards, "standby": True, **venue}
    return Configuration.model_validate({"venues": {"binance": settings}, "placement": placement})


def hosts(settings: Configuration) -> dict[str, HostSpec]:
    run = plan.RunSettings.of(settings, Path("/run"))
    specs = [host.spec for host in plan.plans(settings, run)]
    return {spec.name: spec for spec in specs if spec.name.startswith(("connector.", "standby."))}


def test_a_shard_is_where_it_is_put_or_else_where_its_venue_is() -> None:
    specs = hosts(configuration(3, PLACEMENT))
    assert {name: spec.labels for name, spec in specs.items()} == {
        "connector.binance": TOKYO,
        "connector.binance.1": TOKYO,
        "connector.binance.2": PARIS,
        "standby.binance": OSAKA,
        "standby.binance.1": OSAKA,
        "standby.binance.2": OSAKA,
    }
    assert labels_of("connector.binance.1", {}) == {}
    assert labels_of("strategy.binance", PLACEMENT) == {}


def test_what_comes_while_the_desk_runs_is_placed_as_what_was_there_from_the_start() -> None:
    desk = Everybody(configuration(1, PLACEMENT))
    desk.ask(SetShards("binance", 3))
    desk.pass_time(NS_PER_S)
    added = hosts(desk.in_force)
    assert {name: spec.labels for name, spec in added.items()} == {
        name: spec.labels for name, spec in hosts(configuration(3, PLACEMENT)).items()
    }
    for shard in ("", ".1", ".2"):
        assert added[f"standby.binance{shard}"].yields_to == [f"connector.binance{shard}"]
        assert added[f"connector.binance{shard}"].displaces == [f"standby.binance{shard}"]


def test_a_shard_that_went_finds_its_place_again() -> None:
    desk = Everybody(configuration(2, {NEW: PARIS}, standby=False))
    desk.moving = {
        OLD: {"carried": True, "readers": []},
        NEW: {"carried": True, "readers": []},
    }
    desk.ask(SetShards("binance", 1))
    desk.pass_time(10 * NS_PER_S)
    assert desk.in_force.venues["binance"].connectors == 1
    assert desk.in_force.placement == {NEW: PARIS}


def test_shards_in_one_place_share_its_address() -> None:
    egress = {"connector.binance": {"egress": "a"}, "connector.binance.2": {"egress": "b"}}
    settings = configuration(3, egress, standby=False)
    assert on_each_address("binance", settings.venues["binance"], settings.placement) == [[0, 1], [2]]
    actors = ["connector.binance", "connector.binance.1", "connector.binance.2"]
    assert [sharing_of(actor, actors, settings).address_holders for actor in actors] == [2, 2, 1]


def test_a_venue_that_goes_takes_the_places_of_all_its_shards_along() -> None:
    kept = {"connector.binance-2": TOKYO, "connector.other.1": PARIS, "strategy.binance": OSAKA}
    assert without_venue("binance", {**PLACEMENT, **kept}) == kept


@pytest.mark.parametrize(
    ("actor", "is_known"),
    [
        ("connector.binance.255", True),
        ("connector.binance.256", False),
        ("connector.binance.0", False),
        ("connector.binance.01", False),
        ("connector.other.1", False),
        ("standby.binance.1", False),
    ],
)
def test_a_place_for_a_shard_to_come_is_no_mistake(tmp_path: Path, actor: str, is_known: bool) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text(f"{GOOD}cluster: {{address: 10.0.0.1:6379}}\nplacement: {{{actor}: {{zone: tokyo}}}}\n")
    if is_known:
        assert load(file).placement == {actor: TOKYO}
    else:
        with pytest.raises(ConfigError, match=f"no actor is called {actor}; "):
            load(file)
