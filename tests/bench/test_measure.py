"""References measured for real: processes and sockets of their own, a moment each."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.benchmarks.contender import Contender
from scripts.benchmarks.measure import QUICK, measure
from scripts.benchmarks.one_process import OneProcess
from scripts.benchmarks.report import METRICS
from scripts.benchmarks.two_processes import TwoProcesses


@pytest.fixture
def folder() -> Iterator[Path]:
    """Shorter than `tmp_path`, because unix sockets live in it."""
    with tempfile.TemporaryDirectory(prefix="ob-") as name:
        yield Path(name)


@pytest.mark.slow
@pytest.mark.parametrize("contender", [OneProcess, TwoProcesses])
async def test_every_trade_arrives_and_every_trigger_is_answered(contender: type[Contender], folder: Path) -> None:
    figures = await measure(contender(), QUICK, folder, cluster_address="")
    assert (figures.lost, figures.unanswered) == (0, 0)
    assert figures.samples == {
        "feed_rate": 10_000,
        "feed_1k_p50": 100,
        "feed_1k_p99": 100,
        "feed_10k_p50": 1_000,
        "feed_10k_p99": 1_000,
        "order_p50": 5,
        "order_p90": 5,
        "order_p99": 5,
    }
    assert len(figures.orders_us) == 5
    assert figures.values.keys() == {metric.name for metric in METRICS}
    assert all(figures.values[metric.name] > 0 for metric in METRICS)


class NeverUp:
    """A contender that cannot start."""

    name = "never_up"
    title = "never up"
    flood_count = 1

    def __init__(self) -> None:
        self.stopped = False

    async def start(self, surroundings: object) -> None:
        raise RuntimeError("cannot start")

    async def stop(self) -> None:
        self.stopped = True


@pytest.mark.slow
async def test_a_contender_that_cannot_start_is_stopped_all_the_same(folder: Path) -> None:
    contender = NeverUp()
    with pytest.raises(RuntimeError, match="cannot start"):
        await measure(contender, QUICK, folder, cluster_address="")
    assert contender.stopped
