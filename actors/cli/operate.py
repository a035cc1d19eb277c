"""`outcry status`, `tree`, `stop` and `env`: from another terminal, without an address, on a run of this machine."""

import shlex
import sys
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from actors.status import Status
from actors.view.render import dashboard
from actors.view.tree import mermaid, tree_of
from runtime.errors import ConfigError, Unavailable
from runtime.rundir import RunRecord, find_runs

RunName = Annotated[str, typer.Option("--run", help="Which run, if there are several.", show_default=False)]


def status(
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    run: RunName = "",
) -> None:
    """Show the actors, venues, orders and positions of the running desk."""
    now = _ask(find(run))
    if json:
        print(msgspec.json.format(msgspec.json.encode(now)).decode())
    else:
        Console().print(dashboard(now))


def tree(
    mermaid_: Annotated[bool, typer.Option("--mermaid", help="As a Mermaid diagram.")] = False,
    run: RunName = "",
) -> None:
    """Show which node and process holds which actor."""
    now = _ask(find(run))
    if mermaid_:
        print(mermaid(now))
    else:
        Console().print(tree_of(now))


def doctor(run: RunName = "") -> None:
    """Say what is wrong with the running desk and what to do. Exit code 1 if anything is."""
    from actors import operate
    from actors.doctor import diagnose

    findings = diagnose(operate.table(find(run)).rows)
    for finding in findings:
        print(f"{finding.subject}: {finding.what}\n    → {finding.do}")
    if findings:
        raise typer.Exit(1)
    print("nothing is wrong")


def stop(run: RunName = "") -> None:
    """Stop the running desk in order: strategies first, then who carries their orders out."""
    from actors.operate import request_stop

    record = find(run)
    request_stop(record)
    print(f"{record.name} (pid {record.pid}) is stopping")


def env(run: RunName = "") -> None:
    """Print what to export so that Ray's own tools find the running desk: eval "$(outcry env)"; ray list actors"""
    for name, value in sorted(find(run).environment.items()):
        print(f"export {name}={shlex.quote(value)}")
    if sys.stdout.isatty():
        print('# eval "$(outcry env)"; ray list actors', file=sys.stderr)


def find(name: str) -> RunRecord:
    """The one living run, or the one that is called `name` (or `name-pid`)."""
    runs = find_runs()
    chosen = [record for record in runs if name in ("", record.name, f"{record.name}-{record.pid}")]
    known = ", ".join(f"{record.name}-{record.pid}" for record in runs)
    if len(chosen) == 1:
        return chosen[0]
    if not runs:
        raise Unavailable("nothing is running on this machine; start it with: outcry run CONFIG")
    if not chosen:
        raise ConfigError(f"--run {name}: no run is called so; there is {known}")
    raise ConfigError(f"several runs are alive; say which: --run NAME with one of {known}")


def _ask(record: RunRecord) -> Status:
    from actors.operate import ask

    return ask(record)
