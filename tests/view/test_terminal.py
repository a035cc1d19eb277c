"""What a person sees: everything within 80 columns and 24 rows, or one line in a log."""

import io

from msgspec.structs import replace
from rich.console import Console, RenderableType

from actors.view.live import LiveView
from actors.view.numbers import amount, duration, elapsed
from actors.view.plain import PlainView, line
from actors.view.rates import Rates
from actors.view.render import dashboard
from actors.view.summary import summary_table
from actors.view.tree import mermaid, tree_of
from tests.view.statuses import desk


def text(renderable: RenderableType, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(renderable)
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_the_dashboard_shows_actors_venues_orders_and_positions() -> None:
    assert text(dashboard(desk(), {"binance": 182.4}, 12.2)) == [
        "outcry demo                                                  1:15 · ends in 12 s",
        "",
        "actor             state     restarts mailbox oldest handled dropped pid",
        "connector.binance ● ready          0       0      –  12,345       7  41",
        "order_manager     ● ready          0       3   2 ms      96       0  42",
        "router            ● ready          0       0      –      32       0  42",
        "strategy.maker    ● backoff        2       0      –       0       0   –",
        "strategy.maker ended and starts again at once: exit code 9",
        "outcry doctor says what to do",
        "",
        "venue    link  msg/s  gaps  rejects    feed p50/p99",
        "binance  ● up    182     1        3  85 µs / 1.2 ms",
        "",
        "order    side  quantity    price     state  position  quantity  realised",
        "BTCUSDT  buy      0.001  67250.1  accepted  BTCUSDT      0.003      0.12",
        "                                            BTCUSDT     -0.001         0",
        "",
        "14 fills · 1 accepted · 30 canceled · 12 filled",
    ]


def test_the_summary_says_what_happened() -> None:
    assert text(summary_table(desk())) == [
        "outcry demo ran 1:15",
        "venue binance  12,345 messages, 1 gaps, 1 resyncs, 2 reconnects, 3 rejects",
        "orders         1 accepted, 30 canceled, 12 filled",
        "fills          14",
        "positions      0.002 BTCUSDT",
        "latency feed   p50 85 µs, p99 1.2 ms, p99.9 3.0 ms",
        "restarts       strategy.maker 2",
        "dropped        connector.binance 7",
    ]


def test_the_tree_shows_which_process_holds_which_actor() -> None:
    assert text(tree_of(desk())) == [
        "outcry demo",
        "├── node 10.0.0.1",
        "│   ├── connector.binance (pid 41)",
        "│   │   └── ● connector.binance ready, life 1, 0 restarts",
        "│   └── hot (pid 42)",
        "│       ├── ● order_manager ready, life 1, 0 restarts",
        "│       └── ● router ready, life 1, 0 restarts",
        "└── node nowhere",
        "    └── no host (pid –)",
        "        └── ● strategy.maker backoff, life 2, 2 restarts: exit code 9",
    ]


def test_the_tree_as_a_diagram_has_a_node_for_each_process_and_actor() -> None:
    lines = mermaid(desk()).splitlines()
    assert lines[:4] == [
        "flowchart LR",
        '  desk["outcry demo"]',
        '  desk --> node0["node 10.0.0.1"]',
        '  node0 --> host0_0["connector.binance<br/>pid 41"]',
    ]
    assert '  host0_1 --> actor0_1_1["router<br/>ready"]' in lines


def test_a_log_gets_one_line() -> None:
    assert line(desk(), {"binance": 182.4}) == (
        "1:15 · 3/4 actors ready · 2 restarts · binance up 182 msg/s · 1 open orders · 14 fills · "
        "binance.BTCUSDT 0.003 · other.BTCUSDT -0.001"
    )


def test_what_is_degraded_is_shown_with_its_reason() -> None:
    venue = replace(desk().venues["binance"], degraded={"orders": "LINK_DOWN: cut"})
    lame = replace(desk(), venues={"binance": venue})
    shown = text(dashboard(lame))
    assert "binance  ● degraded" in "\n".join(shown)
    assert "binance orders by REST: LINK_DOWN: cut" in shown
    assert "binance up, degraded (LINK_DOWN: cut), 0 msg/s" in line(lame, {})


def test_a_log_gets_a_line_every_other_second() -> None:
    console = Console(file=io.StringIO(), record=True, width=200)
    with PlainView(console, "demo") as view:
        for seconds in (1, 2, 3, 4, 5):
            view.show(desk(seconds))
    shown = [line.split(" · ")[0] for line in console.export_text().splitlines()]
    assert shown == ["outcry demo is starting", "0:02", "0:04"]


def test_quiet_shows_nothing() -> None:
    console = Console(file=io.StringIO(), record=True)
    with PlainView(console, "demo", quiet=True):
        pass
    assert console.export_text() == ""


def test_the_live_view_leaves_the_terminal_as_it_was() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80, height=24)
    with LiveView(console, "demo", 90.0) as view:
        view.show(desk(1, messages=100))
        view.show(desk(2, messages=350))
    drawn = screen.getvalue()
    assert "250" in drawn
    assert "ends in 88 s" in drawn
    assert drawn.endswith("\x1b[?25h") or "\x1b[?25h" in drawn.rsplit("outcry", 1)[1]


def test_a_rate_needs_two_statuses_and_looks_back_two_seconds() -> None:
    rates = Rates()
    assert rates.update(desk(1, messages=100)) == {}
    assert rates.update(desk(2, messages=300)) == {"binance": 200.0}
    assert rates.update(desk(3, messages=600)) == {"binance": 250.0}
    assert rates.update(desk(4, messages=600)) == {"binance": 150.0}


def test_a_counter_that_began_again_is_no_negative_rate() -> None:
    rates = Rates()
    rates.update(desk(1, messages=100))
    assert rates.update(desk(2, messages=0)) == {"binance": 0.0}


def test_numbers_are_short() -> None:
    assert [duration(us) for us in (0.4, 999, 1500, 2_500_000)] == ["0 µs", "999 µs", "1.5 ms", "2.5 s"]
    assert [amount(number) for number in ("0.00100", "100", "1E+3", "-0.0", "?")] == ["0.001", "100", "1000", "0", "?"]
    assert [elapsed(s * 1_000_000_000) for s in (5, 65, 3725)] == ["0:05", "1:05", "1:02:05"]
