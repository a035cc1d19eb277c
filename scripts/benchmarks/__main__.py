"""Command line of the benchmark: `scripts/bench [--json FILE] [--check]`."""

import argparse
import asyncio
import os
import platform
import signal
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import msgspec
from rich.console import Console

from runtime.cluster import LocalCluster
from scripts.benchmarks import journal, report, two_hosts
from scripts.benchmarks.contender import Contender
from scripts.benchmarks.measure import FULL, QUICK, Figures, Plan, measure
from scripts.benchmarks.one_process import OneProcess
from scripts.benchmarks.ours import Colocated, Separate
from scripts.benchmarks.ray_calls import RayCalls, RayCallsWithoutReply
from scripts.benchmarks.two_processes import TwoProcesses

CONTENDERS: tuple[type[Contender], ...] = (
    OneProcess,
    TwoProcesses,
    RayCalls,
    RayCallsWithoutReply,
    Separate,
    Colocated,
)


def main() -> int:
    options = _parse()
    plan = QUICK if options.quick else FULL
    if options.rounds:
        plan = msgspec.structs.replace(plan, rounds=options.rounds)
    chosen = [contender for contender in CONTENDERS if contender.name in (options.only or contender.name)]
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="ob-") as folder:
        try:
            rounds = asyncio.run(_run(chosen, plan, Path(folder), console))
        except (KeyboardInterrupt, asyncio.CancelledError):
            return 130
    report.print_report(console, rounds, {contender.name: contender.title for contender in chosen})
    if options.rounds_table:
        report.print_rounds(console, rounds)
    journal_rows = journal.measure(plan.rounds)
    journal.print_rows(console, journal_rows)
    host_rows = two_hosts.measure(plan.rounds)
    two_hosts.print_rows(console, host_rows)
    rows = report.rows(rounds) + journal_rows + host_rows
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(rows)))
    return 1 if options.check and any(row.holds is False for row in rows) else 0


async def _run(
    contenders: list[type[Contender]], plan: Plan, folder: Path, console: Console
) -> dict[str, list[Figures]]:
    rounds: dict[str, list[Figures]] = {contender.name: [] for contender in contenders}
    with closing(LocalCluster("bench")) as cluster:
        _end_in_order_on(signal.SIGTERM)
        for number in range(1, plan.rounds + 1):
            for contender in contenders:
                console.print(f"round {number}/{plan.rounds}: {contender.title}", style="dim")
                rounds[contender.name].append(await measure(contender(), plan, folder, cluster.address))
    return rounds


def _end_in_order_on(number: signal.Signals) -> None:
    """Ctrl-C already cancels the run, so that every process it started is ended; make another signal do the same."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Feed path and order path beside references.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bar does not hold")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"interleaved rounds (default {FULL.rounds})")
    parser.add_argument("--rounds-table", action="store_true", help="print the values of every round as well")
    parser.add_argument("--quick", action="store_true", help="one tiny round: shows that it works, measures nothing")
    parser.add_argument(
        "--only", nargs="+", choices=[contender.name for contender in CONTENDERS], help="run only these"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
