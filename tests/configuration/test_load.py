"""What a file says becomes frozen values; the command line fills in recordings and their speed."""

from decimal import Decimal
from pathlib import Path

import pytest

from actors.configuration import load
from actors.settings import Configuration
from runtime.errors import ConfigError

CONFIGS = Path(__file__).parents[2] / "configs"
SIMULATED = """\
venues:
  binance:
    kind: binance
    symbols: [BTCUSDT]
    credentials: {key: demo, secret: demo}
    simulate: {%s}
strategies:
  maker:
    class: actors.strategies.market_maker:MarketMaker
    instruments: [binance.BTCUSDT]
    parameters: {quantity: 0.10}
"""
FRAME = '1633998512.0: {"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}}\n'


@pytest.mark.parametrize("name", ["demo.yaml", "colocated.yaml"])
def test_the_configurations_that_need_nothing_are_right(name: str) -> None:
    configuration = load(CONFIGS / name)
    assert list(configuration.strategies) == ["maker"]


def test_the_configuration_of_the_real_venue_needs_only_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_KEY", "k")
    monkeypatch.setenv("BINANCE_SECRET", "s")
    monkeypatch.setattr("actors.configuration.checks.listed_symbols", lambda _kind, _url, symbols: symbols)
    venue = load(CONFIGS / "binance.yaml").venues["binance"]
    assert venue.simulate is None
    assert venue.rest_url == "https://api.binance.com"


def test_a_folder_is_the_same_one_wherever_a_host_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "desk.yaml"
    file.write_text(f"{SIMULATED % 'seed: 1'}journal: {{path: journal/desk}}\nstore: {{path: ~/desk.sqlite}}\n")
    configuration = load(file)
    assert configuration.journal.path == tmp_path / "journal" / "desk"
    assert configuration.store.path == Path.home() / "desk.sqlite"


def test_the_replay_finds_its_recording_in_the_folder_of_the_command_line(captures: Path) -> None:
    configuration = load(CONFIGS / "replay-binance.yaml", capture=captures, speed=10)
    simulation = configuration.venues["binance"].simulate
    assert simulation is not None
    assert simulation.capture == str(captures / "BINANCE")
    assert simulation.speed == 10


def test_the_command_line_fills_in_folder_and_speed_of_a_replay(tmp_path: Path) -> None:
    (tmp_path / "BINANCE.ws.1.0").write_text(FRAME)
    file = tmp_path / "desk.yaml"
    file.write_text(SIMULATED % "capture: BINANCE")
    simulation = load(file, capture=tmp_path, speed=2.5).venues["binance"].simulate
    assert simulation is not None
    assert (simulation.capture, simulation.speed) == (f"{tmp_path}/BINANCE", 2.5)


def test_a_folder_of_recordings_without_a_venue_that_plays_one_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="--capture: no venue here plays a recording"):
        load(CONFIGS / "demo.yaml", capture=Path("recordings"))
    with pytest.raises(ConfigError, match="--speed: no venue here plays a recording"):
        load(CONFIGS / "demo.yaml", speed=10)


def test_a_number_with_a_point_is_exactly_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text(SIMULATED % "rate: 12.5" + "risk: {max_order_notional: 1000.10, max_exposure: 1e3}\n")
    configuration = load(file)
    assert configuration.strategies["maker"].parameters == {"quantity": Decimal("0.10")}
    assert str(configuration.risk.max_order_notional) == "1000.10"
    assert configuration.risk.max_exposure == 1000


def test_a_configuration_survives_the_way_to_another_process(tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text(SIMULATED % "")
    configuration = load(file)
    again = Configuration.model_validate_json(configuration.model_dump_json(by_alias=True))
    assert again.strategies["maker"].parameters == {"quantity": "0.10"}
    assert again.venues == configuration.venues


def test_the_address_of_a_cluster_may_be_what_ray_says_to_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert load(CONFIGS / "demo.yaml", address="auto").cluster.address == "10.0.0.1:6379"
    monkeypatch.delenv("RAY_ADDRESS")
    with pytest.raises(ConfigError, match="--address auto: RAY_ADDRESS is not set here"):
        load(CONFIGS / "demo.yaml", address="auto")
