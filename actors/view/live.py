"""The dashboard on a terminal, drawn anew with each status while the run lives."""

from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from actors.status import Status
from actors.view.rates import Rates
from actors.view.render import dashboard


class LiveView:
    """Leaves the terminal as it was. Only `show` draws: no thread of its own."""

    def __init__(self, console: Console, name: str, seconds: float | None) -> None:
        self._seconds = seconds
        self._rates = Rates()
        self._live = Live(
            Text.assemble(("outcry ", "bold"), (name, "bold cyan"), " is starting …"),
            console=console,
            auto_refresh=False,
            transient=True,
            vertical_overflow="crop",
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> "LiveView":
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, status: Status) -> None:
        ends_in_s = None if self._seconds is None else self._seconds - (status.ts - status.started) / 1e9
        self._live.update(dashboard(status, self._rates.update(status), ends_in_s), refresh=True)
