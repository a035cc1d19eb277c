"""The commands of `outcry` and how they end: 0 done, 1 not possible now, 2 to be mended by the user."""

import sys

import typer

from actors.cli import journal, operate, run, venue
from runtime.errors import ConfigError, Unavailable

app = typer.Typer(
    help="Outcry: an actor-model trading runtime on Ray.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("status")(operate.status)
app.command("tree")(operate.tree)
app.command("doctor")(operate.doctor)
app.command("stop")(operate.stop)
app.command("env")(operate.env)
app.command("venue")(venue.venue)
app.add_typer(journal.app, name="journal")


def main() -> None:
    try:
        app(prog_name="outcry")
    except ConfigError as error:
        print(f"outcry: {error}", file=sys.stderr)
        sys.exit(2)
    except Unavailable as error:
        print(f"outcry: {error}", file=sys.stderr)
        sys.exit(1)
