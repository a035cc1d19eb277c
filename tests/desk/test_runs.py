"""`outcry run` with real processes, on Ray and without: what it says, what it leaves, what `kill -9` does."""

import importlib.util
import json
import os
import shlex
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from actors.orders.records import decode
from tests.desk.ending import end_trading
from tests.desk.runs import PATIENT, ROOT, START_S, Run, Status, free_port, outcry_run, venue_truth
from tests.desk.truth import Truth, records, shortest

DEMO = ROOT / "configs" / "demo.yaml"
ACTORS = (
    "connector.binance",
    "latency_monitor",
    "order_manager",
    "risk_checker",
    "router",
    "portfolio",
    "strategy.maker",
)
KILLED = ("connector.binance", "order_manager", "strategy.maker")
FIRST_BACKOFF_MS = 100
"""At most, of an actor that has not ended for a minute; the rest of its absence is starting it."""
STAGES = ("signal", "journal", "risk", "route", "wire", "tick_to_wire", "ack")

pytestmark = [pytest.mark.slow, pytest.mark.ray]


def demo(backend: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(DEMO.read_text())
    document["cluster"] = {"backend": backend}
    document["restart"] = PATIENT
    return document


class Trading:
    """A run whose strategy trades until it is told to end."""

    def __init__(self, run: Run, port: int, end: Path) -> None:
        self.run = run
        self._port = port
        self._end = end

    def until_it_trades(self) -> Status:
        return self.run.until(is_trading)

    def goes_on(self) -> None:
        """Returns when new market data and new fills have come."""
        before = self.run.until(is_trading)
        self.run.until(
            lambda status: (
                is_trading(status)
                and status["fills"] > before["fills"] + 2
                and status["venues"]["binance"]["messages"] > before["venues"]["binance"]["messages"]
            )
        )

    def end(self) -> tuple[Truth, Truth, dict[str, Any]]:
        """End the trading, wait until no order is open and stop: (the venue's truth, the journal's, the summary)."""
        end_trading(self.run, self._end)
        truth = venue_truth(self._port)
        summary = self.run.stop()
        return truth, Truth.of_journal(self.run.journal), summary


def is_trading(status: Status) -> bool:
    ready = all(actor["state"] == "READY" for actor in status["actors"].values())
    return ready and status["venues"].get("binance", {}).get("connected", False) and status["fills"] > 0


def has_been_measured(status: Status) -> bool:
    """Orders were filled, and the times of every stage of theirs are known."""
    return (
        is_trading(status)
        and status["orders"].get("FILLED", 0) > 0
        and status["venues"]["binance"]["messages"] > 100
        and all(status["latency"].get(stage, {}).get("count", 0) > 0 for stage in STAGES)
    )


def trading(tmp_path: Path, changes: bool = False, **cluster: Any) -> Iterator[Trading]:
    """`changes`: the strategy also modifies its orders and sends order lists."""
    port, end = free_port(), tmp_path / "end"
    document = demo("ray")
    document["cluster"] = cluster
    document["venues"]["binance"]["simulate"]["port"] = port
    document["strategies"]["maker"]["class"] = "tests.desk.trader:Trader"
    document["strategies"]["maker"]["parameters"] |= {"until_file": str(end), "changes": changes}
    with outcry_run(document, "--quiet") as run:
        yield Trading(run, port, end)


@pytest.fixture
def on_ray(tmp_path: Path) -> Iterator[Trading]:
    yield from trading(tmp_path, backend="ray", dashboard=importlib.util.find_spec("opencensus") is not None)


@pytest.fixture
def on_processes(tmp_path: Path) -> Iterator[Trading]:
    yield from trading(tmp_path, changes=True, backend="processes")


def assert_equal_to_the_venue(truth: Truth, journal: Truth, summary: dict[str, Any]) -> None:
    assert journal == truth
    assert summary["fills"] == len(truth.fills)
    at_venue = {state: n for state, n in summary["orders"].items() if state not in ("REJECTED", "DENIED")}
    assert at_venue == Counter(state for state, _ in truth.orders.values())
    held = {symbol: shortest(text) for symbol, text in summary["positions"].items() if Decimal(text)}
    assert held == truth.positions


def test_a_run_on_ray_sums_up_what_it_did_and_leaves_nothing() -> None:
    with outcry_run(demo("ray")) as run:
        run.until(has_been_measured)
        summary = run.stop()
        run.until_gone()
        assert [path.name for path in (run.folder / "outcry" / "runs").iterdir()] == []
    assert list(summary) == [
        "name", "seconds", "venues", "orders", "fills", "positions", "latency", "restarts", "dropped", "books",
    ]  # fmt: skip
    assert summary["name"] == "demo"
    venue = summary["venues"]["binance"]
    assert list(venue) == ["messages", "gaps", "resyncs", "reconnects", "rejects"]
    assert venue["messages"] > 100
    assert (venue["gaps"], venue["resyncs"], venue["reconnects"]) == (0, 0, 0)
    assert summary["fills"] > 0
    assert summary["orders"]["FILLED"] > 0
    assert set(summary["positions"]) <= {"BTCUSDT", "ETHUSDT"}
    for stage in STAGES:
        p50, p99, p999 = (summary["latency"][stage][quantile] for quantile in ("p50_us", "p99_us", "p999_us"))
        assert 0 < p50 <= p99 <= p999
    assert set(ACTORS) <= set(summary["restarts"])
    assert {name for name, count in summary["restarts"].items() if count} == set()
    assert summary["dropped"].keys() == summary["restarts"].keys()
    assert set(summary["books"]) == {"binance.BTCUSDT", "binance.ETHUSDT"}


def test_a_run_on_ray_is_shown_outlives_its_parts_and_is_stopped_from_another_process(on_ray: Trading) -> None:
    run = on_ray.run
    status = on_ray.until_it_trades()
    actors = status["actors"]
    assert set(ACTORS) <= set(actors)
    pids = [actor["pid"] for actor in actors.values()]
    assert len(set(pids)) == len(pids), "every actor has a process of its own"

    assert json.loads(run.command("status", "--json"))["actors"].keys() == actors.keys()
    tree, mermaid = run.command("tree"), run.command("tree", "--mermaid")
    assert mermaid.startswith("flowchart LR\n")
    for name, actor in actors.items():
        assert f"● {name} ready, life 1, 0 restarts" in tree
        assert f"{name} (pid {actor['pid']})" in tree
        assert f'["{name}<br/>ready"]' in mermaid
    assert_ray_lists(run, actors)

    for role in KILLED:
        run.until(lambda status: status["spares"] == 1)
        after = run.kill(role)
        assert after["actors"][role]["restarts"] == 1
        on_ray.goes_on()
    assert_replaced_at_once(run, len(KILLED))
    restarts = {name: actor["restarts"] for name, actor in run.status()["actors"].items()}
    assert {name for name, count in restarts.items() if count} == set(KILLED)

    truth, journal, summary = on_ray.end()
    assert_equal_to_the_venue(truth, journal, summary)
    assert [summary["restarts"][role] for role in KILLED] == [1, 1, 1]
    run.until_gone()


def assert_replaced_at_once(run: Run, times: int) -> None:
    """So many hosts that ended, and none waited for longer than the first backoff takes."""
    delays = [line["delay_ms"] for line in run.logged("host_ended")]
    assert len(delays) == times
    assert max(delays) <= FIRST_BACKOFF_MS


def assert_ray_lists(run: Run, actors: dict[str, Any]) -> None:
    """Ray's own tool finds each actor by its name in the process that we say it has."""
    if importlib.util.find_spec("opencensus") is None:
        return
    exported = dict(shlex.split(line)[1].split("=", 1) for line in run.command("env").splitlines())
    command = [str(Path(sys.executable).with_name("ray")), "list", "actors", "--format", "json"]
    expected = {name: actor["pid"] for name, actor in actors.items()}
    deadline = time.monotonic() + START_S
    while True:  # its dashboard is a process of its own, which starts slowly and learns of them later
        listed = subprocess.run(
            [*command, "--filter", "state=ALIVE"],
            env={**os.environ, **exported},
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
        rows = json.loads(listed.stdout) if listed.returncode == 0 else []
        alive = {row["name"]: row["pid"] for row in rows if not row["name"].startswith("spare-")}
        if alive == expected:
            return
        assert time.monotonic() < deadline, f"{alive} is not {expected}: {listed.stderr}"


def test_any_process_can_be_killed_and_no_order_or_fill_is_lost_or_doubled(on_processes: Trading) -> None:
    run = on_processes.run
    on_processes.until_it_trades()
    for actor in (*ACTORS, "supervisor"):
        after = run.kill(actor)
        assert after["actors"][actor]["restarts"] == 1
        on_processes.goes_on()
    assert_replaced_at_once(run, len(ACTORS))
    truth, journal, summary = on_processes.end()
    assert_equal_to_the_venue(truth, journal, summary)
    assert {name for name, count in summary["restarts"].items() if count == 1} == {*ACTORS, "supervisor"}
    assert sum(summary["restarts"].values()) == len(ACTORS) + 1
    intents = Counter(type(decode(record).event).__name__ for record in records(run.journal))
    assert min(intents["SubmitOrder"], intents["ChangeIntended"], intents["SubmitOrderList"]) > 2
    run.until_gone()
