"""What a run has done, as a person reads it when it is over; `actors.status.summarise` is the same for programs."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from actors.status import Status, summarise
from actors.view.numbers import amount, count, duration, elapsed


def summary_table(status: Status) -> RenderableType:
    summary = summarise(status)
    lines = Table.grid(padding=(0, 2))
    lines.add_column(style="dim", no_wrap=True)
    lines.add_column()
    for name, venue in summary["venues"].items():
        lines.add_row(f"venue {name}", ", ".join(f"{count(number)} {what}" for what, number in venue.items()))
    orders = ", ".join(f"{count(number)} {state.lower()}" for state, number in sorted(summary["orders"].items()))
    lines.add_row("orders", orders or "none")
    lines.add_row("fills", count(summary["fills"]))
    positions = ", ".join(f"{amount(quantity)} {symbol}" for symbol, quantity in summary["positions"].items())
    lines.add_row("positions", positions or "none")
    for stage, latency in status.latency.items():
        p50, p99, p999 = (duration(us) for us in (latency.p50_us, latency.p99_us, latency.p999_us))
        lines.add_row(f"latency {stage}", f"p50 {p50}, p99 {p99}, p99.9 {p999}")
    for what in ("restarts", "dropped"):
        some = ", ".join(f"{name} {count(number)}" for name, number in summary[what].items() if number)
        lines.add_row(what, some or "none")
    title = Text.assemble(
        ("outcry ", "bold"), (status.name, "bold cyan"), f" ran {elapsed(status.ts - status.started)}"
    )
    return Group(title, lines)
