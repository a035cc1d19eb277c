"""A running desk is operated from Python: over unix sockets, with real processes, by more than one client."""

import asyncio
import getpass
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from actors.desk import CommandRefused, Desk, connect
from actors.desk.way import LocalWay
from actors.gateway.requests import PROTOCOL, Answer, Call, Halt, Problem
from runtime.errors import ConfigError, Unavailable
from runtime.rundir import find_runs
from tests.desk.runs import ROOT, Run
from tests.operating.desks import BTC, actions, bought, demo, far_below, journal, trading_desk
from tests.survival.desks import until

pytestmark = pytest.mark.slow

ME = f"{getpass.getuser()}@{socket.gethostname()}"


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with trading_desk() as run:
        yield run


@pytest.fixture
def desk(run: Run) -> Iterator[Desk]:
    with connect(frames="plain", client="test", timeout_s=60) as desk:
        yield desk
        if desk.limits()["halted"]:
            desk.resume()


def test_it_is_shown_as_it_is(run: Run, desk: Desk) -> None:
    status = run.until(lambda status: {"risk", "tick_to_wire"} <= set(status["latency"]))
    until(lambda: len(desk.quotes()) == 2, "no quote of one of them")
    assert {row["actor"]: row["pid"] for row in desk.status()} == {
        name: actor["pid"] for name, actor in status["actors"].items()
    }
    tree = desk.tree()
    assert [row["name"] for row in tree if row["kind"] == "supervisor"] == ["supervisor"]
    assert {row["parent"] for row in tree if row["kind"] == "host"} == {"supervisor"}
    assert {row["name"] for row in tree if row["kind"] == "actor"} == set(status["actors"]) - {"supervisor"}
    assert {row["instrument"] for row in desk.quotes()} == {BTC, "binance.ETHUSDT"}
    assert all(row["bid"] < row["ask"] for row in desk.quotes())
    assert [row["venue"] for row in desk.venues()] == ["binance"]
    assert {"risk", "tick_to_wire"} <= {row["stage"] for row in desk.latency()}
    assert desk.info()["name"] == "demo"
    assert desk.name == next((run.folder / "outcry" / "runs").glob("*.json")).stem


def test_an_order_goes_the_way_of_a_strategys_and_the_journal_says_who_gave_it(run: Run, desk: Desk) -> None:
    bought = desk.buy(BTC, "0.001")
    assert (bought["state"], bought["filled"].rstrip("0")) == ("FILLED", "0.001")
    resting = desk.buy(BTC, "0.001", far_below(desk.quotes(BTC)[0]["bid"]), post_only=True)
    assert resting["state"] == "ACCEPTED"
    assert resting["client_order_id"] in [row["client_order_id"] for row in desk.orders()]
    assert desk.cancel(resting["client_order_id"])["state"] == "CANCELED"
    assert resting["client_order_id"] not in [row["client_order_id"] for row in desk.orders()]

    records = journal(run.journal)
    way = [
        type(record.event).__name__
        for record in records
        if bought["client_order_id"]
        in (
            getattr(record.event, "client_order_id", ""),
            getattr(getattr(record.event, "order", None), "client_order_id", ""),
            getattr(record.event, "arguments", {}).get("client_order_id", ""),
        )
    ]
    assert way[:4] == ["OperatorActed", "SubmitOrder", "OrderSent", "OrderRouted"] or way[:4] == [
        "OperatorActed",
        "SubmitOrder",
        "OrderRouted",
        "OrderSent",
    ]
    mine = [action for action in actions(run.journal) if action[1] == "test"][-3:]
    assert [(who, client, action) for who, client, action, _ in mine] == [
        (ME, "test", "SUBMIT"),
        (ME, "test", "SUBMIT"),
        (ME, "test", "CANCEL"),
    ]
    assert mine[0][3] == {
        "instrument": BTC,
        "side": "BUY",
        "quantity": "0.001",
        "price": "",
        "client_order_id": bought["client_order_id"],
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("binance.DOGEUSDT", "1"),
            "binance.DOGEUSDT: cannot be traded here; there is binance.BTCUSDT, binance.ETHUSDT",
        ),
        ((BTC, "1", "60000", "DAY"), "'DAY' is not a valid TimeInForce"),
    ],
)
def test_an_order_that_cannot_be_meant_is_refused_with_what_would_be_right(
    desk: Desk, arguments: tuple[str, ...], says: str
) -> None:
    instrument, quantity, *rest = arguments
    with pytest.raises(CommandRefused, match=re.escape(says)):
        desk.buy(instrument, quantity, *rest[:1], time_in_force=rest[1] if len(rest) > 1 else "GTC")


def test_the_risk_checker_judges_an_operators_order_too(desk: Desk) -> None:
    order = desk.buy(BTC, "1")
    assert order["state"] == "DENIED"
    assert order["reason"].startswith("MAX_ORDER_NOTIONAL: ")


def test_a_halt_refuses_orders_not_cancels_outlives_the_risk_checker_and_ends_when_somebody_resumes(
    run: Run, desk: Desk
) -> None:
    resting = desk.buy(BTC, "0.001", far_below(desk.quotes(BTC)[0]["bid"]))
    assert resting["state"] == "ACCEPTED"
    assert desk.halt("lunch")["halted"] == f"by {ME} (test): lunch"
    assert desk.buy(BTC, "0.001")["reason"] == f"HALTED: by {ME} (test): lunch"
    for actor in ("risk_checker", "order_manager", "gateway"):
        run.kill(actor)
        order = desk.buy(BTC, "0.001")
        assert (order["state"], "HALTED" in order["reason"] or "REBUILDING" in order["reason"]) == ("DENIED", True)
    assert desk.limits()["halted"] == f"by {ME} (test): lunch"
    assert desk.cancel(resting["client_order_id"])["state"] == "CANCELED"
    assert desk.resume() == {"halted": ""}
    with pytest.raises(CommandRefused, match="the desk is not halted"):
        desk.resume()
    bought(desk)


def test_flatten_ends_with_nothing_open_and_nothing_held(run: Run, desk: Desk) -> None:
    run.until(
        lambda status: (
            any(float(position["quantity"]) for position in status["positions"].values())
            and not status["orders"].get("UNKNOWN", 0)  # of the time when the order manager was killed
        )
    )
    desk.buy(BTC, "0.002")
    desk.halt("flatten")
    done = desk.flatten()
    assert (done["open"], done["positions"]) == ([], [])
    assert {order["state"] for order in done["orders"]} == {"FILLED"}
    assert desk.orders() == []
    assert [row for row in desk.positions() if row["quantity"]] == []
    run.until(
        lambda status: (
            status["positions"]
            and not any(float(row["quantity"]) for row in status["positions"].values())
            and not status["orders"].get("UNKNOWN", 0)
        )
    )
    desk.resume()
    run.until(lambda status: status["open_orders"] != [])  # the strategy knows that it holds nothing, and goes on


def test_a_changed_limit_holds_at_once_and_after_the_risk_checker_died(run: Run, desk: Desk) -> None:
    assert desk.set_limit("max_order_quantity.binance.BTCUSDT", "0.0005")["changed"] == {
        "max_order_quantity.binance.BTCUSDT": "0.0005"
    }
    assert desk.buy(BTC, "0.001")["reason"] == "MAX_ORDER_QUANTITY: 0.001, limit 0.0005"
    run.kill("risk_checker")
    deadline = time.monotonic() + 120
    while "REBUILDING" in (reason := desk.buy(BTC, "0.001")["reason"]) or "NO_PRICE" in reason:
        assert time.monotonic() < deadline, reason
    assert reason == "MAX_ORDER_QUANTITY: 0.001, limit 0.0005"
    with pytest.raises(CommandRefused, match="there is no such limit"):
        desk.set_limit("max_everything", "1")
    assert desk.set_limit("max_order_quantity.binance.BTCUSDT", "1")["max_order_quantity"] == {BTC: "1"}
    bought(desk)


def test_the_live_stream_brings_quotes_and_an_order_with_its_fill(desk: Desk) -> None:
    stream = desk.stream()
    kinds = {next(stream)["kind"] for _ in range(20)}
    assert "quote" in kinds
    bought = desk.buy(BTC, "0.001")["client_order_id"]
    seen = []
    for event in stream:
        if event.get("client_order_id") == bought:
            seen.append((event["kind"], event.get("state")))
            if seen[-1] == ("order", "FILLED"):
                break
    assert ("fill", None) in seen
    assert [state for kind, state in seen if kind == "order"][-1] == "FILLED"


def test_the_stream_can_be_awaited(desk: Desk) -> None:
    async def first(count: int) -> list[str]:
        found = []
        async for event in desk.stream("quotes", instruments=[BTC]):
            found.append(event["instrument"])
            if len(found) == count:
                break
        return found

    assert asyncio.run(first(5)) == [BTC] * 5


def test_the_stream_goes_on_when_the_gateway_died_and_says_so(run: Run, desk: Desk) -> None:
    stream = desk.stream("quotes")
    next(stream)
    run.kill("gateway")
    kinds: list[str] = []
    while "lost" not in kinds or kinds[-1] != "quote":
        kinds.append(next(stream)["kind"])
    assert kinds.count("lost") == 1


def test_who_only_reads_is_refused_every_command(run: Run) -> None:
    with connect(frames="plain", read_only=True) as desk:
        assert desk.quotes()
        commands: list[Callable[[], object]] = [
            lambda: desk.buy(BTC, "0.001"),
            lambda: desk.cancel("0" * 32),
            desk.flatten,
            desk.halt,
            desk.resume,
            lambda: desk.set_limit("max_exposure", 1),
        ]
        for command in commands:
            with pytest.raises(CommandRefused, match=r"^\w+: this connection only reads"):
                command()


def test_the_gateway_itself_refuses_a_command_over_a_connection_that_only_reads(run: Run) -> None:
    (record,) = find_runs()
    way = LocalWay(record)
    before = actions(run.journal)
    try:
        call = Call(PROTOCOL, ME, "test", True, Halt("whatever"))
        answer = msgspec.msgpack.decode(way.ask(msgspec.msgpack.encode(call), 10), type=Answer)
        assert (answer.problem, answer.reason) == (Problem.REFUSED, "this connection only reads (read_only=True)")
        newer = Call(PROTOCOL + 1, ME, "test", False, Halt("whatever"))
        answer = msgspec.msgpack.decode(way.ask(msgspec.msgpack.encode(newer), 10), type=Answer)
        assert answer.reason == "the client speaks protocol 2, the desk 1: install the same Outcry on both"
        garbage = msgspec.msgpack.decode(way.ask(b"garbage", 10), type=Answer)
        assert garbage.reason.startswith("the desk does not understand this: ")
    finally:
        way.close()
    assert actions(run.journal) == before


CLIENT = """
from actors.desk import connect
desk = connect(frames="plain", client="second")
print(desk.buy("binance.BTCUSDT", "0.001")["state"], flush=True)
for event in desk.stream():
    pass
"""


def test_a_second_client_attaches_and_its_sudden_end_stops_nothing(run: Run, desk: Desk) -> None:
    client = subprocess.Popen([sys.executable, "-c", CLIENT], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert client.stdout is not None
        assert client.stdout.readline() == "FILLED\n"
        assert (ME, "second", "SUBMIT") in [action[:3] for action in actions(run.journal)]
        lives = {row["actor"]: row["life"] for row in desk.status()}
    finally:
        os.kill(client.pid, signal.SIGKILL)
        client.communicate()
    fills = run.status()["fills"]
    run.until(lambda status: status["fills"] > fills)
    assert {row["actor"]: row["life"] for row in desk.status()} == lives
    assert desk.buy(BTC, "0.001")["state"] == "FILLED"


def test_closing_the_connection_stops_nothing_and_it_says_that_it_is_closed(run: Run) -> None:
    desk = connect()
    desk.close()
    desk.close()
    with pytest.raises(Unavailable, match="closed"):
        desk.info()
    assert run.status()["actors"]["gateway"]["state"] == "READY"


def test_a_run_is_found_by_its_folder_and_by_its_name(run: Run) -> None:
    folder = next(path for path in (run.folder / "outcry" / "runs").iterdir() if path.is_dir())
    for arguments in ((folder, ""), (str(folder), ""), (None, "demo"), (None, folder.name)):
        with connect(arguments[0], run=arguments[1]) as desk:
            assert desk.name == folder.name
    with pytest.raises(ConfigError, match=f"no run is called so; there is {folder.name}"):
        connect(run="other")
    with pytest.raises(ConfigError, match="not the folder of a living run"):
        connect(Path("/tmp"))
    with pytest.raises(ConfigError, match="neither a run's folder nor the address of a Ray cluster"):
        connect("nonsense")


def test_without_a_run_it_says_how_to_start_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    if len(str(tmp_path)) > 40:
        monkeypatch.setattr("runtime.rundir.LONGEST_BASE", 1000)
    with pytest.raises(Unavailable, match="outcry run CONFIG"):
        connect()


def test_a_halt_outlives_the_run() -> None:
    with trading_desk() as first:
        with connect(client="test", frames="plain") as desk:
            desk.halt("overnight")
        first.stop()
        second = Run(first.folder, demo(), "--quiet")
        try:
            second.until(lambda status: all(actor["state"] == "READY" for actor in status["actors"].values()))
            with connect(client="test", frames="plain") as desk:
                assert desk.limits()["halted"] == f"by {ME} (test): overnight"
                assert desk.resume() == {"halted": ""}
        finally:
            second.close()
