"""What a configuration with a standby makes of it, and which mistakes are refused."""

from pathlib import Path

import pytest

from actors import names, plan
from actors.configuration import load
from actors.settings import Configuration
from actors.shards import Publishers
from tests.configuration.test_mistakes import GOOD, mistake

STANDBY = GOOD.replace("    simulate:", "    standby: true\n    simulate:")


def loaded(folder: Path, text: str) -> Configuration:
    file = folder / "desk.yaml"
    file.write_text(text)
    return load(file)


def test_there_is_none_unless_it_is_asked_for(tmp_path: Path) -> None:
    configuration = loaded(tmp_path, GOOD)
    assert [name for name in names.of_desk(configuration) if name.startswith("standby")] == []
    assert Publishers(configuration.venues).of("binance", "BTCUSDT") == ("connector.binance",)


def test_a_standby_is_a_process_of_its_own_that_yields_to_its_connector(tmp_path: Path) -> None:
    configuration = loaded(tmp_path, STANDBY)
    assert "standby.binance" in names.of_desk(configuration)
    assert Publishers(configuration.venues).of("binance", "BTCUSDT") == ("connector.binance", "standby.binance")
    run = plan.RunSettings.of(configuration, tmp_path)
    specs = {host.spec.name: host.spec for host in plan.plans(configuration, run)}
    assert specs["standby.binance"].yields_to == ["connector.binance"]
    assert specs["connector.binance"].displaces == ["standby.binance"]
    assert {name for name, spec in specs.items() if spec.yields_to or spec.displaces} == {
        "standby.binance",
        "connector.binance",
    }


def test_it_yields_to_the_host_that_its_connector_shares(tmp_path: Path) -> None:
    configuration = loaded(tmp_path, STANDBY + "colocate: [[connector.binance, router]]\n")
    run = plan.RunSettings.of(configuration, tmp_path)
    specs = {host.spec.name: host.spec for host in plan.plans(configuration, run)}
    assert specs["standby.binance"].yields_to == ["connector.binance+router"]


def test_each_shard_has_a_standby_of_its_own(tmp_path: Path) -> None:
    configuration = loaded(tmp_path, STANDBY.replace("standby: true", "standby: true\n    shards: 2"))
    assert names.connectors("binance", configuration.venues["binance"]) == [
        "connector.binance",
        "connector.binance.1",
        "standby.binance",
        "standby.binance.1",
    ]
    publishers = Publishers(configuration.venues)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        connector, standby = publishers.of("binance", symbol)
        assert names.primary_of(standby) == connector


@pytest.mark.parametrize(
    ("group", "message"),
    [
        (
            "[connector.binance, standby.binance]",
            "standby.binance is there for when the process of connector.binance dies; keep them in different groups",
        ),
        (
            "[standby.binance, order_manager]",
            "standby.binance goes to another machine, and order_manager cannot; keep them in different groups",
        ),
    ],
)
def test_a_standby_that_could_not_take_over_is_refused(tmp_path: Path, group: str, message: str) -> None:
    assert mistake(tmp_path, STANDBY + f"colocate: [{group}]\n") == f"desk.yaml:15: colocate[0]: {message}"


def test_whether_there_is_one_is_yes_or_no(tmp_path: Path) -> None:
    told = mistake(tmp_path, STANDBY.replace("standby: true", "standby: both"))
    assert told.startswith("desk.yaml:7: venues.binance.standby: is 'both'; it should be a valid boolean")
