"""`outcry journal`: look after the log that everything can be rebuilt from."""

from pathlib import Path
from typing import Annotated

import typer

from runtime.errors import ConfigError
from runtime.journal.verify import verify as check

app = typer.Typer(help="Look after a journal.", no_args_is_help=True)


@app.callback()
def journal() -> None:
    """Look after a journal."""


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="Folder of the journal.", show_default=False)],
) -> None:
    """Check every record: its length, its checksum and the chain of hashes. Exit code 1 if one is damaged."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: there is no such folder; give the folder of a journal (*.log)")
    verdict = check(folder)
    print(f"{folder}: {verdict.records:,} records in {verdict.segments} segments, {verdict.length:,} bytes")
    if verdict.torn is not None and verdict.good:
        print(f"the last write was not finished ({verdict.torn.reason}); the next opening cuts it off")
    if verdict.damage is not None:
        print(f"DAMAGED: {verdict.segment} at byte {verdict.damage.offset}: {verdict.damage.reason}")
        if verdict.torn is not None:
            print("nothing comes after it: the next opening cuts it off, keeps it beside and goes on")
        raise typer.Exit(1)
    print("every checksum and the chain of hashes are right")
