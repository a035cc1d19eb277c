"""One line every few seconds, for a log file or a pipe."""

from types import TracebackType

from rich.console import Console

from actors.status import ActorState, Status, VenueStatus
from actors.view.numbers import amount, count, elapsed
from actors.view.rates import Rates

PERIOD_NS = 2_000_000_000


class PlainView:
    def __init__(self, console: Console, name: str, quiet: bool = False) -> None:
        self._console = console
        self._name = name
        self._quiet = quiet
        self._rates = Rates()
        self._shown = 0

    def __enter__(self) -> "PlainView":
        if not self._quiet:
            self._print(f"outcry {self._name} is starting")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, status: Status) -> None:
        rates = self._rates.update(status)
        if status.ts - self._shown < PERIOD_NS:
            return
        self._shown = status.ts
        self._print(line(status, rates))

    def _print(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, highlight=False, markup=False)


def _state(venue: VenueStatus) -> str:
    state = "up" if venue.connected else "down"
    return f"{state}, degraded ({'; '.join(venue.degraded.values())})," if venue.degraded else state


def line(status: Status, rates: dict[str, float]) -> str:
    ready = sum(actor.state is ActorState.READY for actor in status.actors.values())
    parts = [
        elapsed(status.ts - status.started),
        f"{ready}/{len(status.actors)} actors ready",
        f"{sum(actor.restarts for actor in status.actors.values())} restarts",
    ]
    for name, venue in status.venues.items():
        parts.append(f"{name} {_state(venue)} {count(rates.get(name, 0))} msg/s")
    parts += [f"{len(status.open_orders)} open orders", f"{count(status.fills)} fills"]
    parts += [f"{name} {amount(position.quantity)}" for name, position in status.positions.items()]
    return " · ".join(parts)
