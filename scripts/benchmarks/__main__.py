"""Command line of the benchmark: `scripts/bench [--json FILE] [--check] [--parts …] [--soak SECONDS]`."""

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
from scripts.benchmarks import (
    durability,
    journal,
    memory,
    promises,
    report,
    risk,
    scale,
    soak,
    startup,
    takeover,
    two_hosts,
    venues,
)
from scripts.benchmarks.contender import Contender
from scripts.benchmarks.measure import FULL, QUICK, Figures, Plan, measure
from scripts.benchmarks.one_process import OneProcess
from scripts.benchmarks.ours import Colocated, Separate
from scripts.benchmarks.ray_calls import RayCalls, RayCallsWithoutReply
from scripts.benchmarks.report import Row
from scripts.benchmarks.two_processes import TwoProcesses

CONTENDERS: tuple[type[Contender], ...] = (
    OneProcess,
    TwoProcesses,
    RayCalls,
    RayCallsWithoutReply,
    Separate,
    Colocated,
)


PARTS = (
    "start",
    "memory",
    "paths",
    "takeover",
    "risk",
    "venues",
    "journal",
    "durability",
    "hosts",
    "scale",
)
"""In this order: those that start a Ray of their own come before there is one that lasts."""


def main() -> int:
    options = _parse()
    plan = QUICK if options.quick else FULL
    if options.rounds:
        plan = msgspec.structs.replace(plan, rounds=options.rounds)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="ob-") as folder:
        try:
            rows = asyncio.run(_measure(options, plan, Path(folder), console))
        except (KeyboardInterrupt, asyncio.CancelledError):
            return 130
    kept_promises = promises.rows(rows)
    report.print_bars(console, rows)
    promises.print_rows(console, kept_promises)
    rows += kept_promises
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(rows)))
    return 1 if options.check and any(row.holds is False for row in rows) else 0


async def _measure(options: argparse.Namespace, plan: Plan, folder: Path, console: Console) -> list[Row]:
    _end_in_order_on(signal.SIGTERM)
    if options.soak:
        soaked = await soak.measure(options.soak, folder)
        soak.print_rows(console, soaked)
        return soak.rows(soaked)
    parts = options.parts
    rows: list[Row] = []
    if "start" in parts:
        starts = await startup.measure(plan.starts, folder)
        startup.print_rows(console, *starts)
        rows += startup.rows(*starts)
    if "memory" in parts:
        used = await memory.measure(folder, plan.settle_s)
        memory.print_rows(console, used)
        rows += memory.rows(used)
    if {"paths", "takeover", "risk", "venues"} & set(parts):
        with closing(LocalCluster("bench")) as cluster:
            rows += await _on_ray(options, plan, folder, console, cluster.address)
    if "journal" in parts:
        journal_rows = journal.measure(plan.rounds)
        journal.print_rows(console, journal_rows)
        rows += journal_rows
    if "durability" in parts:
        durability_rows = await durability.measure(plan, folder)
        durability.print_rows(console, durability_rows)
        rows += durability_rows
    if "hosts" in parts:
        host_rows = await asyncio.to_thread(two_hosts.measure, plan.rounds)
        two_hosts.print_rows(console, host_rows)
        rows += host_rows
    if "scale" in parts:
        runs = await scale.measure(folder, scale.CONNECTORS if plan is not QUICK else scale.CALIBRATED)
        scale.print_rows(console, runs)
        rows += scale.rows(runs)
    return rows


async def _on_ray(
    options: argparse.Namespace, plan: Plan, folder: Path, console: Console, cluster_address: str
) -> list[Row]:
    rows: list[Row] = []
    if "paths" in options.parts:
        chosen = [contender for contender in CONTENDERS if contender.name in (options.only or contender.name)]
        rounds = await _run(chosen, plan, folder, console, cluster_address)
        report.print_report(console, rounds, {contender.name: contender.title for contender in chosen})
        if options.rounds_table:
            report.print_rounds(console, rounds)
        rows += report.rows(rounds)
    if "takeover" in options.parts:
        takeovers = await takeover.measure(plan.kills, folder, cluster_address)
        takeover.print_rows(console, takeovers)
        rows += takeover.rows(takeovers)
    if "risk" in options.parts:
        checks, hops = risk.measure_checks(plan.checks), await risk.measure_hops(plan.hops)
        risk.print_rows(console, checks, hops)
        rows += risk.rows(checks, hops)
    if "venues" in options.parts:
        recorded = await venues.measure(plan, folder, cluster_address)
        venues.print_rows(console, recorded)
        rows += venues.rows(recorded)
    return rows


async def _run(
    contenders: list[type[Contender]], plan: Plan, folder: Path, console: Console, cluster_address: str
) -> dict[str, list[Figures]]:
    rounds: dict[str, list[Figures]] = {contender.name: [] for contender in contenders}
    for number in range(1, plan.rounds + 1):
        for contender in contenders:
            console.print(f"round {number}/{plan.rounds}: {contender.title}", style="dim")
            rounds[contender.name].append(await measure(contender(), plan, folder, cluster_address))
    return rounds


def _end_in_order_on(number: signal.Signals) -> None:
    """Ctrl-C already cancels the run, so that every process it started is ended; make another signal do the same."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Outcry beside what it is compared with.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bar does not hold")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"interleaved rounds (default {FULL.rounds})")
    parser.add_argument("--rounds-table", action="store_true", help="print the values of every round as well")
    parser.add_argument("--quick", action="store_true", help="one tiny round: shows that it works, measures nothing")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="measure only these")
    parser.add_argument("--soak", type=float, metavar="SECONDS", help="instead of all others: a long steady run")
    parser.add_argument(
        "--only", nargs="+", choices=[contender.name for contender in CONTENDERS], help="of `paths`, run only these"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
