"""How a test ends the trading of a desk: a file asks for it, and each strategy answers when nothing of it is left."""

from collections.abc import Iterable
from pathlib import Path

from actors.strategy import Strategy
from tests.desk.runs import Run

FINAL = ("FILLED", "CANCELED", "EXPIRED", "REJECTED", "DENIED")


def is_ending(strategy: Strategy, until_file: str) -> bool:
    """To be asked before each order: once the file is there it cancels what is open, and answers when nothing is.

    What it knows as open includes what is on its way to the order manager, so nothing can follow.
    """
    if not until_file or not Path(until_file).exists():
        return False
    strategy.cancel_all()
    if not strategy.orders:
        answer(until_file, strategy._desk.strategy)
    return True


def answer(until_file: str, strategy: str) -> None:
    """By the strategy, when it has seen the file, sends nothing more, and each of its orders is final."""
    file, asked = Path(until_file).with_name(_name(until_file, strategy)), _asked(until_file)
    if not file.exists() or file.read_text() != asked:
        file.write_text(asked)


def missing(until_file: Path, strategies: Iterable[str]) -> list[str]:
    """Those who have not answered since the file was written last."""
    answers = {name: until_file.with_name(_name(str(until_file), name)) for name in strategies}
    asked = _asked(str(until_file))
    return [name for name, file in answers.items() if not file.exists() or file.read_text() != asked]


def end_trading(run: Run, until_file: Path, strategies: Iterable[str] = ("maker",)) -> None:
    """Returns when nothing is open any more, as these strategies and the order manager say, and nothing will be."""
    names = list(strategies)
    until_file.touch()
    run.until(lambda status: not missing(until_file, names) and not set(status["orders"]) - set(FINAL))


def _name(until_file: str, strategy: str) -> str:
    return f"{Path(until_file).name}.{strategy}"


def _asked(until_file: str) -> str:
    return str(Path(until_file).stat().st_mtime_ns)
