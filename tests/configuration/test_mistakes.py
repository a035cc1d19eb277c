"""Each mistake in a configuration is answered with file, line, key, what is wrong and what would be right."""

import socket
import sys
from pathlib import Path

import pytest

from actors.configuration import load
from runtime.errors import ConfigError

GOOD = """\
name: desk
venues:
  binance:
    kind: binance
    symbols: [BTCUSDT, ETHUSDT]
    credentials: {key: demo, secret: demo}
    simulate: {seed: 7}
strategies:
  maker:
    class: actors.strategies.market_maker:MarketMaker
    instruments: [binance.BTCUSDT]
risk:
  max_open_orders: 20
"""


def mistake(folder: Path, text: str) -> str:
    file = folder / "desk.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    return str(caught.value).replace(str(file), "desk.yaml")


def test_the_good_one_is_good(tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text(GOOD)
    assert load(file).risk.max_open_orders == 20


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        pytest.param(
            "    symbols:",
            "    symbls:",
            "desk.yaml:5: venues.binance.symbls: unknown key; did you mean 'symbols'?",
            id="unknown key",
        ),
        pytest.param(
            "risk:",
            "restart: {heartbeat_s: 2}\nrisk:",
            "desk.yaml:12: restart.lease_s: is 5; it must be at least 3 × heartbeat_s, which is 2",
            id="a lease shorter than heartbeats are apart",
        ),
        pytest.param(
            "max_open_orders: 20",
            "max_open_orders: many",
            "desk.yaml:13: risk.max_open_orders: is 'many'; it should be a valid integer, unable to parse string as an "
            "integer",
            id="wrong type",
        ),
        pytest.param(
            "max_open_orders: 20",
            "max_open_orders: -1",
            "desk.yaml:13: risk.max_open_orders: is -1; it should be greater than 0",
            id="out of range",
        ),
        pytest.param(
            "kind: binance",
            "kind: binanse",
            "desk.yaml:4: venues.binance.kind: is 'binanse', which is not known; did you mean 'binance'?",
            id="unknown kind of venue",
        ),
        pytest.param(
            "[binance.BTCUSDT]",
            "[binanc.BTCUSDT]",
            "desk.yaml:11: strategies.maker.instruments[0]: binanc.BTCUSDT: no venue is called binanc; "
            "did you mean 'binance.BTCUSDT'?",
            id="unknown venue",
        ),
        pytest.param(
            "[binance.BTCUSDT]",
            "[binance.BTCUSD]",
            "desk.yaml:11: strategies.maker.instruments[0]: binance.BTCUSD: BTCUSD is not in venues.binance.symbols; "
            "did you mean 'BTCUSDT'?",
            id="instrument that the venue does not list",
        ),
        pytest.param(
            "[BTCUSDT, ETHUSDT]",
            "[BTCUSDT, ETHUSDX]",
            "desk.yaml:5: venues.binance.symbols[1]: ETHUSDX is not traded there; did you mean 'ETHUSDT'?",
            id="symbol not traded",
        ),
        pytest.param(
            "[BTCUSDT, ETHUSDT]",
            "[BTCUSDT, ON]",
            "desk.yaml:5: venues.binance.symbols[1]: is True, which is no text; write it in quotes",
            id="a word that YAML takes for a truth value",
        ),
        pytest.param(
            "[BTCUSDT, ETHUSDT]",
            "[BTCUSDT, BTCUSDT]",
            "desk.yaml:5: venues.binance.symbols[1]: BTCUSDT is already in the list; remove it",
            id="symbol twice",
        ),
        pytest.param(
            "    credentials: {key: demo, secret: demo}\n",
            "",
            "desk.yaml:3: venues.binance.credentials: is missing, and maker trades there; add "
            "`credentials: {key: env:NAME, secret: env:NAME}` (or `demo` for both if it is simulated)",
            id="missing credential",
        ),
        pytest.param(
            "key: demo",
            "key: env:OUTCRY_NO_SUCH_KEY",
            "desk.yaml:6: venues.binance.credentials.key: environment variable OUTCRY_NO_SUCH_KEY is not set or empty; "
            "it has to hold the secret",
            id="credential that is not set",
        ),
        pytest.param(
            "    simulate: {seed: 7}\n",
            "",
            "desk.yaml:6: venues.binance.credentials.key: demo is the account of a simulated venue; use env:NAME or "
            "file:PATH, or add `simulate: {}`",
            id="demo account at the real venue",
        ),
        pytest.param(
            "market_maker:MarketMaker",
            "market_maker:MarketTaker",
            "desk.yaml:10: strategies.maker.class: actors.strategies.market_maker has no strategy MarketTaker; "
            "did you mean 'MarketMaker'?",
            id="strategy class that is not there",
        ),
        pytest.param(
            "actors.strategies.market_maker:MarketMaker",
            "my_desk.maker:Maker",
            "desk.yaml:10: strategies.maker.class: there is no module my_desk; it must be importable from the current "
            "folder",
            id="strategy module that is not there",
        ),
        pytest.param(
            "actors.strategies.market_maker:MarketMaker",
            "MarketMaker",
            "desk.yaml:10: strategies.maker.class: is 'MarketMaker'; it must be module:Class, e.g. my_desk.maker:Maker",
            id="strategy class without a module",
        ),
        pytest.param(
            "risk:\n",
            "colocate:\n  - [routr, strategy.maker]\nrisk:\n",
            "desk.yaml:13: colocate[0][0]: no actor is called routr; did you mean 'router'?",
            id="colocate of an unknown actor",
        ),
        pytest.param(
            "risk:\n",
            "colocate:\n  - [router]\n  - [router]\nrisk:\n",
            "desk.yaml:14: colocate[1][0]: router is already in colocate[0]; keep it in one group",
            id="colocate in two groups",
        ),
        pytest.param(
            "risk:\n",
            "placement: {connector.binance: {zone: tokyo}}\nrisk:\n",
            "desk.yaml:12: placement.connector.binance: needs a cluster; add `cluster: {address: HEAD:6379}`, or "
            "--address, or remove it",
            id="placement without a cluster",
        ),
        pytest.param(
            "risk:\n",
            "cluster: {address: 10.0.0.1:6379}\nplacement: {conector.binance: {zone: tokyo}}\nrisk:\n",
            "desk.yaml:13: placement.conector.binance: no actor is called conector.binance; did you mean "
            "'connector.binance'?",
            id="placement of an unknown actor",
        ),
        pytest.param(
            "risk:\n",
            "cluster: {address: 10.0.0.1:6379}\nplacement: {order_manager: {zone: tokyo}}\nrisk:\n",
            "desk.yaml:13: placement.order_manager: order_manager stays with the journal, on the machine where the "
            "desk is started; remove it, or add `journal: {durability: machine}`",
            id="placement of the journal",
        ),
        pytest.param(
            "risk:\n",
            "cluster: {address: 10.0.0.1:6379}\nplacement: {gateway: {zone: tokyo}}\nrisk:\n",
            "desk.yaml:13: placement.gateway: gateway is asked on the machine where the desk is started and stays "
            "there; remove it",
            id="placement of the gateway",
        ),
        pytest.param(
            "risk:\n",
            "cluster: {address: 10.0.0.1:6379}\nplacement: {router: {}}\nrisk:\n",
            "desk.yaml:13: placement.router: is empty; give labels of nodes, e.g. {zone: tokyo}, or remove it",
            id="placement anywhere",
        ),
        pytest.param(
            "risk:\n",
            "cluster: {address: 10.0.0.1:6379}\nplacement: {router: {zone: tokyo}}\n"
            "colocate: [[router, risk_checker]]\nrisk:\n",
            "desk.yaml:14: colocate[0]: its actors are placed on different nodes; give all of them the same "
            "`placement`",
            id="colocated on different nodes",
        ),
        pytest.param(
            "risk:\n",
            "cluster: {address: 10.0.0.1}\nrisk:\n",
            "desk.yaml:12: cluster.address: is '10.0.0.1'; it must be the address of a Ray cluster's head, e.g. "
            "10.0.0.1:6379",
            id="head without a port",
        ),
        pytest.param(
            "risk:\n",
            "cluster: {address: 10.0.0.1:6379, ports: [21000, 20000]}\nrisk:\n",
            "desk.yaml:12: cluster.ports: the last is below the first; give at least 21000",
            id="ports the wrong way round",
        ),
        pytest.param(
            "risk:\n",
            "store: {kind: postgresql}\nrisk:\n",
            "desk.yaml:12: store.dsn: is missing; add `dsn: env:NAME`, where a connection string postgresql://… is "
            "found",
            id="database without an address",
        ),
        pytest.param(
            "risk:\n",
            "store: {kind: postgresql, dsn: 'env:OUTCRY_NO_SUCH_DSN'}\nrisk:\n",
            "desk.yaml:12: store.dsn: environment variable OUTCRY_NO_SUCH_DSN is not set or empty; it has to hold the "
            "secret",
            id="address of a database that is not set",
        ),
        pytest.param(
            "risk:\n",
            "store: {kind: postgresql, dsn: demo}\nrisk:\n",
            "desk.yaml:12: store.dsn: must say where to find it: env:NAME or file:PATH",
            id="address of a database in the file",
        ),
        pytest.param(
            "risk:\n",
            "store: {path: x.sqlite, schema: desk}\nrisk:\n",
            "desk.yaml:12: store.schema: is for PostgreSQL only; add `kind: postgresql`, or remove it",
            id="schema of a file",
        ),
        pytest.param(
            "risk:\n",
            "store: {path: /}\nrisk:\n",
            "desk.yaml:12: store.path: / is a folder; give a file",
            id="folder for a file",
        ),
        pytest.param(
            "name: desk\n",
            "name: desk\nname: other\n",
            "desk.yaml:2: name: is already given in line 1; keep one of them",
            id="duplicate key",
        ),
        pytest.param(
            "    kind: binance\n",
            "",
            "desk.yaml:3: venues.binance.kind: is missing; add `kind: binance`",
            id="missing key",
        ),
        pytest.param(
            "name: desk\n",
            "restart: {backoff_min_s: 2, backoff_max_s: 1}\n",
            "desk.yaml:1: restart.backoff_max_s: 1 is less than backoff_min_s; give at least 2",
            id="backoff that shrinks",
        ),
        pytest.param(
            "max_open_orders: 20",
            "max_position: {binance.XRPUSDT: 1}",
            "desk.yaml:13: risk.max_position.binance.XRPUSDT: binance.XRPUSDT: XRPUSDT is not in "
            "venues.binance.symbols; there are BTCUSDT, ETHUSDT",
            id="limit for what is not traded",
        ),
        pytest.param(
            "venues:\n  binance:\n",
            "venues:\n  Binance:\n",
            "desk.yaml:3: venues.Binance: is 'Binance'; it must be at most 24 lower-case letters, digits and dashes, "
            "e.g. desk-1",
            id="name of a venue",
        ),
        pytest.param(
            "{seed: 7}",
            "{capture: nowhere/BINANCE}",
            "desk.yaml:7: venues.binance.simulate.capture: no files nowhere/BINANCE.*; give the common beginning of a "
            "recording's file names; --capture DIR says in which folder they are",
            id="recording that is not there",
        ),
        pytest.param(
            "{seed: 7}", "{seed: 7", "desk.yaml:8: is not YAML: expected ',' or '}', but got ':'", id="not YAML"
        ),
        pytest.param(
            "risk:\n",
            "risk: &risk\n  max_exposure: *risk\n",
            "desk.yaml:12: risk.max_exposure: contains itself; write it out",
            id="a value inside itself",
        ),
    ],
)
def test_a_mistake_is_answered_with_what_would_be_right(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    assert right in GOOD
    assert mistake(tmp_path, GOOD.replace(right, wrong, 1)).splitlines()[0] == message


def test_every_mistake_is_named_in_one_message(tmp_path: Path) -> None:
    text = GOOD.replace("kind: binance", "kind: okx").replace("seed: 7", "sed: 7")
    assert mistake(tmp_path, text).splitlines() == [
        "desk.yaml:4: venues.binance.kind: is 'okx', which is not known; there are binance, binance-usdm",
        "desk.yaml:7: venues.binance.simulate.sed: unknown key; did you mean 'seed'?",
    ]


@pytest.mark.parametrize("secret", ["sk-live-4711", "4711471147114711", "[4711]"])
def test_a_secret_written_into_the_file_is_refused_and_not_repeated(tmp_path: Path, secret: str) -> None:
    assert "4711" not in mistake(tmp_path, GOOD.replace("secret: demo", f"secret: {secret}"))
    assert "4711" not in mistake(tmp_path, f"{GOOD}store: {{kind: postgresql, dsn: {secret}}}\n")


def test_a_bad_address_of_a_database_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTCRY_DSN", "postgresql//desk:4711@host")
    assert mistake(tmp_path, f"{GOOD}store: {{kind: postgresql, dsn: 'env:OUTCRY_DSN'}}\n") == (
        "desk.yaml:14: store.dsn: is no connection string of PostgreSQL; it looks like "
        "postgresql://user:password@host:5432/database"
    )


def test_a_driver_that_is_not_installed_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCRY_DSN", "postgresql://desk@host/desk")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert mistake(tmp_path, f"{GOOD}store: {{kind: postgresql, dsn: 'env:OUTCRY_DSN'}}\n") == (
        "desk.yaml:14: store.kind: needs the driver psycopg, which is not installed; "
        "pip install 'openoutcry[postgresql]'"
    )


def test_orders_at_a_real_venue_need_a_journal_that_outlives_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCRY_KEY", "a-key-of-somebody")
    real = GOOD.replace("{key: demo, secret: demo}", "{key: 'env:OUTCRY_KEY', secret: 'env:OUTCRY_KEY'}")
    real = real.replace("simulate: {seed: 7}", "rest_url: http://127.0.0.1:1")
    assert mistake(tmp_path, real) == (
        "desk.yaml:1: journal.path: is missing, and orders at binance outlive a run; add `journal: {path: FOLDER}`, "
        "from which the next run continues"
    )
    file = tmp_path / "desk.yaml"
    file.write_text(f"{real}journal: {{path: {tmp_path}/journal}}\n")
    assert load(file).journal.path == tmp_path / "journal"


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert mistake(tmp_path, GOOD.replace("seed: 7", f"port: {port}")) == (
            f"desk.yaml:7: venues.binance.simulate.port: {port} is taken by another program; give another one, "
            "or 0 for any free one"
        )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; it needs at least `venues:`"),
        (b"# only a comment\n", "is empty; it needs at least `venues:`"),
        (b"- a\n- b\n", "must be a mapping of keys such as `venues:`"),
        (b"\xff\xfe\x00", "is not a text in UTF-8; a configuration is a YAML file"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "desk.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert str(caught.value) == f"{file}: {message}"


def test_a_file_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(GOOD)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "dmo.yaml")
    assert str(caught.value) == f"{tmp_path}/dmo.yaml: there is no such file; there are {tmp_path}/demo.yaml"


def test_a_cluster_without_cryptography_is_told_which_extra_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.configuration.checks.find_spec", lambda name: None)
    assert mistake(tmp_path, GOOD + "cluster: {address: 10.0.0.1:6379}\n") == (
        "desk.yaml:14: cluster.address: streams between machines need the package cryptography, which is not "
        "installed; pip install 'openoutcry[cluster]'"
    )


def test_the_address_of_the_command_line_makes_a_placement_possible(tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text(GOOD + "placement: {connector.binance: {zone: tokyo}}\n")
    configuration = load(file, address="10.0.0.1:6379")
    assert configuration.cluster.address == "10.0.0.1:6379"
    assert configuration.placement == {"connector.binance": {"zone": "tokyo"}}
