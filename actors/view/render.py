"""The dashboard of a desk in a terminal: actors, venues, orders and positions within 80 columns."""

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from actors.status import ActorState, ActorStatus, OpenOrder, PositionStatus, Status, VenueStatus
from actors.view.numbers import amount, count, elapsed, p50_p99

STYLES = {
    ActorState.STARTING: "yellow",
    ActorState.READY: "green",
    ActorState.BACKOFF: "yellow",
    ActorState.PARKED: "red",
    ActorState.STOPPED: "dim",
    ActorState.DEAD: "bold red",
}
WORDS = {
    ActorState.BACKOFF: "ended and starts again at once",
    ActorState.PARKED: "ended too often and is tried again later",
}
SHORT_STATES = {"PARTIALLY_FILLED": "part filled", "PENDING_CANCEL": "cancelling"}
OPEN_ORDERS_SHOWN = 6


def dashboard(
    status: Status, rates: Mapping[str, float] | None = None, ends_in_s: float | None = None
) -> RenderableType:
    """`rates` are messages a second by venue; they need two statuses and so are not in one."""
    return Group(
        _title(status, ends_in_s),
        Text(),
        actors_table(status.actors),
        *_troubles(status.actors),
        Text(),
        _venues(status, rates or {}),
        _degraded(status.venues),
        _not_durable(status.not_durable),
        Text(),
        _side_by_side(_orders(status.open_orders), _positions(status.positions)),
        Text(),
        _totals(status),
    )


def _title(status: Status, ends_in_s: float | None) -> Table:
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right")
    end = "Ctrl-C ends it" if ends_in_s is None else f"ends in {max(0, round(ends_in_s))} s"
    title = Text.assemble(("outcry ", "bold"), (status.name, "bold cyan"))
    line.add_row(title, Text(f"{elapsed(status.ts - status.started)} · {end}", style="dim"))
    return line


def _table(*columns: str, numbers_from: int = 1, gap: int = 2) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim", show_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index >= numbers_from else "left", no_wrap=True)
    return table


def actors_table(actors: Mapping[str, ActorStatus]) -> Table:
    columns = ("actor", "state", "restarts", "mailbox", "oldest", "handled", "dropped", "pid")
    table = _table(*columns, numbers_from=2, gap=1)
    for name, actor in actors.items():
        box = actor.mailbox
        table.add_row(
            name,
            Text(f"● {actor.state.value.lower()}", style=STYLES[actor.state]),
            Text(str(actor.restarts), style="yellow" if actor.restarts else ""),
            count(box.depth),
            f"{box.oldest_ms:.0f} ms" if box.depth else "–",
            count(box.handled),
            Text(count(box.dropped), style="yellow" if box.dropped else ""),
            str(actor.pid or "–"),
        )
    return table


def _troubles(actors: Mapping[str, ActorStatus]) -> list[Text]:
    """One line for each actor that is about to be started again, or not for now, and why."""
    lines = [
        Text(f"{name} {WORDS[actor.state]}: {actor.reason}", style=STYLES[actor.state], overflow="ellipsis")
        for name, actor in actors.items()
        if actor.state in WORDS
    ]
    return [*lines, Text("outcry doctor says what to do", style="dim")] if lines else []


def _venues(status: Status, rates: Mapping[str, float]) -> Table:
    stages = _two_stages(status)
    table = _table(
        "venue", "link", "msg/s", "gaps", "rejects", *(f"{stage} p50/p99" for stage in stages), numbers_from=2
    )
    for name, venue in status.venues.items():
        up = _link(venue)
        rate = count(rates[name]) if name in rates else "–"
        latency = [p50_p99(venue.latency.get(stage)) for stage in stages]
        table.add_row(name, up, rate, count(venue.gaps), count(venue.rejects), *latency)
    return table


def _link(venue: VenueStatus) -> Text:
    if not venue.connected:
        return Text("● down", style="bold red")
    return Text("● degraded", style="yellow") if venue.degraded else Text("● up", style="green")


def _degraded(venues: Mapping[str, VenueStatus]) -> Text:
    """A line for each thing that goes on by REST, and why, or must not be sent; nothing when all is well."""
    lines = [
        f"{name} {part} by REST: {reason}\n"
        for name, venue in venues.items()
        for part, reason in venue.degraded.items()
    ]
    lines += [f"{name} {words}\n" for name, venue in venues.items() for words in venue.held_back]
    return Text("".join(lines), style="yellow", end="")


def _not_durable(problem: str) -> Text:
    return Text(f"new orders are refused, the journal has no copy: {problem}\n" if problem else "", style="red", end="")


def _two_stages(status: Status) -> list[str]:
    """As many as fit: the first that the latency monitor names, which puts market data before orders."""
    stages = {stage: None for venue in status.venues.values() for stage in venue.latency}
    return list(stages)[:2]


def _orders(orders: list[OpenOrder]) -> Table:
    table = _table("order", "side", "quantity", "price", "state", numbers_from=2)
    for order in orders[:OPEN_ORDERS_SHOWN]:
        side = Text(order.side.lower(), style="green" if order.side == "BUY" else "red")
        price = amount(order.price) if order.price else "market"
        table.add_row(
            order.symbol, side, amount(order.quantity), price, SHORT_STATES.get(order.state, order.state.lower())
        )
    if len(orders) > OPEN_ORDERS_SHOWN:
        table.add_row(Text(f"and {len(orders) - OPEN_ORDERS_SHOWN} more", style="dim"))
    if not orders:
        table.add_row(Text("none", style="dim"))
    return table


def _positions(positions: Mapping[str, PositionStatus]) -> Table:
    table = _table("position", "quantity", "realised")
    for instrument, position in positions.items():
        table.add_row(instrument.rpartition(".")[2], amount(position.quantity), amount(position.realized_pnl, 4))
    if not positions:
        table.add_row(Text("none", style="dim"))
    return table


def _side_by_side(left: RenderableType, right: RenderableType) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_row(left, right)
    return grid


def _totals(status: Status) -> Text:
    counts = [f"{number:,} {state.lower().replace('_', ' ')}" for state, number in sorted(status.orders.items())]
    spares = [f"{status.spares} spare process{'es' if status.spares > 1 else ''}"] if status.spares else []
    return Text(" · ".join([f"{status.fills:,} fills", *counts, *spares]), style="dim")
