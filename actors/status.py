"""What a running desk looks like from outside: composed from the actors' reports, shown by every view.

An actor that has not reported yet is simply absent, or zero; nothing here fails because something is missing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from runtime.actor import Report
from runtime.clock import NS_PER_MS
from runtime.protocol import ActorRow


class ActorState(Enum):
    STARTING = "STARTING"
    READY = "READY"
    BACKOFF = "BACKOFF"
    """Died; started again when the backoff is over."""
    PARKED = "PARKED"
    """Died too often; tried again later."""
    STOPPED = "STOPPED"
    DEAD = "DEAD"


class MailboxStatus(msgspec.Struct, frozen=True):
    depth: int = 0
    oldest_ms: float = 0.0
    handled: int = 0
    dropped: int = 0


class ActorStatus(msgspec.Struct, frozen=True):
    state: ActorState
    host: str = ""
    """Name of the host; actors with the same one share a process."""
    node: str = ""
    pid: int = 0
    incarnation: int = 0
    restarts: int = 0
    mailbox: MailboxStatus = MailboxStatus()
    reason: str = ""
    """Why it was restarted or is parked."""


class Quantiles(msgspec.Struct, frozen=True):
    p50_us: float = 0.0
    p99_us: float = 0.0
    p999_us: float = 0.0
    count: int = 0


class BookDigest(msgspec.Struct, frozen=True):
    """A whole book in few characters: see `OrderBook.digest`."""

    sequence: int = 0
    digest: str = ""


class VenueStatus(msgspec.Struct, frozen=True):
    connected: bool = False
    messages: int = 0
    gaps: int = 0
    resyncs: int = 0
    reconnects: int = 0
    rejects: int = 0
    links: dict[str, Any] = {}
    books: dict[str, Any] = {}
    latency: dict[str, Quantiles] = {}
    """By stage."""
    digests: dict[str, BookDigest] = {}
    """Symbol → its book as it was when the connector stopped; empty before."""
    moving: list[str] = []
    """Symbols that two of its connectors have, on their way from one to the other."""
    degraded: dict[str, str] = {}
    """What goes on by REST while its WebSocket is down → why; empty while all is as it should be."""
    bad_frames: int = 0
    """What could not be understood; the last of them are kept."""
    last_bad_frames: list[dict[str, str]] = []
    quarantined: int = 0
    """Events that made no sense and were not passed on."""
    quarantine: dict[str, Any] = {}


class OpenOrder(msgspec.Struct, frozen=True):
    client_order_id: str = ""
    strategy: str = ""
    venue: str = ""
    symbol: str = ""
    side: str = ""
    quantity: str = ""
    filled: str = "0"
    price: str = ""
    """"" for a market order."""
    state: str = ""


class PositionStatus(msgspec.Struct, frozen=True):
    quantity: str = "0"
    """Signed base quantity."""
    average_price: str | None = None
    realized_pnl: str = "0"
    unrealized_pnl: str | None = None


class Status(msgspec.Struct, frozen=True):
    name: str = ""
    ts: int = 0
    """Nanoseconds since the epoch, as `started`."""
    started: int = 0
    actors: dict[str, ActorStatus] = {}
    venues: dict[str, VenueStatus] = {}
    orders: dict[str, int] = {}
    """By state."""
    open_orders: list[OpenOrder] = []
    fills: int = 0
    positions: dict[str, PositionStatus] = {}
    """By `<venue>.<SYMBOL>`."""
    latency: dict[str, Quantiles] = {}
    """By stage, over all venues."""
    spares: int = 0
    """Warm processes that could take the place of a dead one now."""


def compose(
    table: Mapping[str, ActorStatus],
    reports: Mapping[str, Report],
    *,
    name: str = "",
    ts: int = 0,
    started: int = 0,
    spares: int = 0,
) -> Status:
    """`table` is what the supervisor knows about each actor, `reports` what the actors say of themselves.

    A report is recognised by what it holds: a connector names its "venue", the order manager counts "orders", the
    latency monitor has "stages", the portfolio values "positions".
    """
    venues: dict[str, VenueStatus] = {}
    orders: dict[str, Any] = {}
    positions: dict[str, PositionStatus] = {}
    latency: dict[str, Any] = {}
    for report in reports.values():
        state = report.state
        if isinstance(state.get("venue"), str):
            known = venues.get(state["venue"])
            venues[state["venue"]] = _venue(report) if known is None else _with_shard(known, report)
        if "orders" in state:
            orders = state
        if "stages" in state:
            latency = state
        # The order manager knows quantities, the portfolio also what they are worth: the richer one stays.
        for instrument, position in _mapping(state.get("positions")).items():
            if isinstance(position, Mapping) or instrument not in positions:
                positions[instrument] = _position(position)
    for venue, stages in _mapping(latency.get("venues")).items():
        known = venues.get(venue, VenueStatus())
        venues[venue] = msgspec.structs.replace(known, latency=_quantiles(stages))
    return Status(
        name=name,
        ts=ts,
        started=started,
        actors=dict(table),
        venues=venues,
        orders={state: count for state, count in _mapping(orders.get("orders")).items() if count},
        open_orders=[_open_order(order) for order in orders.get("open_orders") or []],
        fills=int(orders.get("fills", 0)),
        positions=positions,
        latency=_quantiles(latency.get("stages")),
        spares=spares,
    )


def of_rows(rows: Iterable[ActorRow], *, name: str = "", ts: int = 0, started: int = 0, spares: int = 0) -> Status:
    """The same from the supervisor's own table."""
    actors, reports = {}, {}
    for row in rows:
        actors[row.name] = ActorStatus(
            state=ActorState(row.state),
            host=row.host,
            node=row.node,
            pid=row.pid,
            incarnation=row.incarnation,
            restarts=row.restarts,
            mailbox=MailboxStatus(row.depth, row.waiting_ns / NS_PER_MS, row.handled, row.dropped),
            reason=row.reason,
        )
        reports[row.name] = Report(row.counters, row.report)
    return compose(actors, reports, name=name, ts=ts, started=started, spares=spares)


def _venue(report: Report) -> VenueStatus:
    counters, state = report.counters, report.state
    return VenueStatus(
        connected=bool(state.get("connected", False)),
        messages=counters.get("messages", 0),
        gaps=counters.get("gaps", 0),
        resyncs=counters.get("resyncs", 0),
        reconnects=counters.get("reconnects", 0),
        rejects=counters.get("rejects", 0),
        links=dict(_mapping(state.get("links"))),
        books=dict(_mapping(state.get("books"))),
        moving=sorted(_mapping(state.get("moving"))),
        degraded=dict(_mapping(state.get("degraded"))),
        bad_frames=counters.get("bad_frames", 0),
        last_bad_frames=list(state.get("last_bad_frames") or []),
        quarantined=counters.get("quarantined", 0),
        quarantine=dict(_mapping(state.get("quarantine"))),
        digests=msgspec.convert(_mapping(state.get("digests")), dict[str, BookDigest]),
    )


def _with_shard(venue: VenueStatus, report: Report) -> VenueStatus:
    """A venue's connectors together: counters are sums; what has the number of its shard in its name is told apart."""
    shard, number = _venue(report), report.state.get("shard", 0)
    return VenueStatus(
        connected=venue.connected and shard.connected,
        messages=venue.messages + shard.messages,
        gaps=venue.gaps + shard.gaps,
        resyncs=venue.resyncs + shard.resyncs,
        reconnects=venue.reconnects + shard.reconnects,
        rejects=venue.rejects + shard.rejects,
        links=venue.links | {f"{number}:{link}": state for link, state in shard.links.items()},
        books=venue.books | shard.books,
        moving=sorted({*venue.moving, *shard.moving}),
        degraded=venue.degraded | {f"{part} of shard {number}": why for part, why in shard.degraded.items()},
        bad_frames=venue.bad_frames + shard.bad_frames,
        last_bad_frames=venue.last_bad_frames + shard.last_bad_frames,
        quarantined=venue.quarantined + shard.quarantined,
        quarantine={
            "reasons": dict(Counter(venue.quarantine.get("reasons")) + Counter(shard.quarantine.get("reasons"))),
            "last": [*venue.quarantine.get("last", ()), *shard.quarantine.get("last", ())],
        },
        digests=venue.digests | shard.digests,
    )


def _open_order(order: Mapping[str, Any]) -> OpenOrder:
    return msgspec.convert({key: value for key, value in order.items() if value is not None}, OpenOrder)


def _position(position: object) -> PositionStatus:
    if isinstance(position, Mapping):
        return msgspec.convert(dict(position), PositionStatus, strict=False)
    return PositionStatus(quantity=str(position))


def _quantiles(stages: object) -> dict[str, Quantiles]:
    return {stage: msgspec.convert(values, Quantiles, strict=False) for stage, values in _mapping(stages).items()}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def summarise(status: Status) -> dict[str, Any]:
    """What a run has done, in plain values: the file that `outcry run --json` writes.

    `positions` sums a symbol over the venues that trade it: signed decimal strings. `books` are those that were whole
    at the end, by `<venue>.<SYMBOL>`.
    """
    positions: dict[str, Decimal] = {}
    for instrument, position in status.positions.items():
        symbol = instrument.rpartition(".")[2]
        positions[symbol] = positions.get(symbol, Decimal(0)) + Decimal(position.quantity)
    counted = ("messages", "gaps", "resyncs", "reconnects", "rejects")
    return {
        "name": status.name,
        "seconds": round((status.ts - status.started) / 1e9, 3),
        "venues": {
            name: {counter: getattr(venue, counter) for counter in counted} for name, venue in status.venues.items()
        },
        "orders": status.orders,
        "fills": status.fills,
        "positions": {symbol: format(quantity, "f") for symbol, quantity in positions.items()},
        "latency": {
            stage: {"p50_us": values.p50_us, "p99_us": values.p99_us, "p999_us": values.p999_us}
            for stage, values in status.latency.items()
        },
        "restarts": {name: actor.restarts for name, actor in status.actors.items()},
        "dropped": {name: actor.mailbox.dropped for name, actor in status.actors.items()},
        "books": {
            f"{name}.{symbol}": {"sequence": book.sequence, "digest": book.digest}
            for name, venue in status.venues.items()
            for symbol, book in venue.digests.items()
        },
    }
