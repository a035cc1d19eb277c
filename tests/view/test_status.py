"""A status is composed from whatever the actors have reported so far, and summed up for programs."""

import msgspec
from rich.console import Console, RenderableType

from actors.status import ActorState, MailboxStatus, PositionStatus, Status, compose, of_rows, summarise
from actors.view.render import dashboard
from runtime.protocol import ActorRow
from tests.view.statuses import TABLE, desk


def test_a_desk_that_has_reported_nothing_yet_has_a_status() -> None:
    status = compose(TABLE, {}, name="demo")
    assert list(status.actors) == ["connector.binance", "order_manager", "router", "strategy.maker"]
    assert (status.venues, status.orders, status.fills, status.positions) == ({}, {}, 0, {})


def test_the_reports_make_one_picture() -> None:
    status = desk()
    assert status.venues["binance"].messages == 12345
    assert status.venues["binance"].latency["feed"].p99_us == 1234.0
    assert status.orders == {"FILLED": 12, "CANCELED": 30, "ACCEPTED": 1}
    assert status.open_orders[0].price == "67250.10"
    assert status.fills == 14


def test_the_portfolio_says_more_about_a_position_than_the_order_manager() -> None:
    assert desk().positions == {
        "binance.BTCUSDT": PositionStatus("0.003", "67000", "0.12"),
        "other.BTCUSDT": PositionStatus("-0.001"),
    }


def test_a_status_survives_its_way_to_another_terminal() -> None:
    assert msgspec.json.decode(msgspec.json.encode(desk()), type=Status) == desk()


def test_the_rows_of_the_supervisor_are_read_as_they_are() -> None:
    row = ActorRow(
        name="router",
        host="hot",
        state="PARKED",
        pid=42,
        node="n1",
        incarnation=3,
        restarts=2,
        reason="exit code 9",
        depth=5,
        waiting_ns=2_500_000,
        handled=7,
        dropped=1,
        counters={},
        report={},
    )
    actor = of_rows([row]).actors["router"]
    assert actor.state is ActorState.PARKED
    assert actor.mailbox == MailboxStatus(5, 2.5, 7, 1)
    assert (actor.pid, actor.incarnation, actor.restarts, actor.reason) == (42, 3, 2, "exit code 9")


def test_the_summary_holds_what_a_program_asks_for() -> None:
    assert summarise(desk()) == {
        "name": "demo",
        "seconds": 75.0,
        "venues": {"binance": {"messages": 12345, "gaps": 1, "resyncs": 1, "reconnects": 2, "rejects": 3}},
        "orders": {"FILLED": 12, "CANCELED": 30, "ACCEPTED": 1},
        "fills": 14,
        "positions": {"BTCUSDT": "0.002"},
        "latency": {"feed": {"p50_us": 85.4, "p99_us": 1234.0, "p999_us": 3000.0}},
        "restarts": {"connector.binance": 0, "order_manager": 0, "router": 0, "strategy.maker": 2},
        "dropped": {"connector.binance": 7, "order_manager": 0, "router": 0, "strategy.maker": 0},
        "books": {},
    }


def test_the_spares_are_counted_and_shown() -> None:
    status = of_rows([], name="demo", spares=2)
    assert status.spares == 2
    assert "2 spare processes" in shown(dashboard(status))
    assert "spare" not in shown(dashboard(of_rows([], name="demo")))


def shown(what: RenderableType) -> str:
    console = Console(width=100)
    with console.capture() as capture:
        console.print(what)
    return capture.get()
