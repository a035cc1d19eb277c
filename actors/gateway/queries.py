"""What a client may look at, and its streams."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from actors import status
from actors.gateway.mirror import plain_order, plain_position, plain_quote
from actors.gateway.operations import Steps, Until
from actors.gateway.requests import (
    Follow,
    GetLimits,
    GetOrders,
    GetPositions,
    GetQuotes,
    GetTable,
    Poll,
    refused,
)
from actors.gateway.streams import KINDS, ClientStream
from actors.risk.controls import changed_limits
from runtime.clock import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from actors.gateway.actor import Gateway

FIRST_QUOTE_NS = 1 * NS_PER_S
"""A venue that has sent a quote before sends it to who begins to follow, well within this."""
LONGEST_POLL_MS = 20_000


def steps(gateway: "Gateway", request: Any) -> Steps:
    return QUERIES[type(request)](gateway, request)


def _table(gateway: "Gateway", _: GetTable) -> Steps:
    table = yield from gateway.fresh_table()
    yield from gateway.synchronised()
    shown = status.of_rows(
        table.rows,
        name=gateway.configuration.name,
        ts=gateway.ctx.now(),
        started=gateway.started,
        spares=table.spares,
    )
    plain = msgspec.to_builtins(shown)
    return {**plain, "halted": gateway.mirror.halted, "limits": gateway.mirror.limits}


def _orders(gateway: "Gateway", _: GetOrders) -> Steps:
    yield from gateway.synchronised()
    return [plain_order(update) for update in gateway.mirror.open.values()]


def _positions(gateway: "Gateway", _: GetPositions) -> Steps:
    yield from gateway.synchronised()
    return [plain_position(instrument, position) for instrument, position in gateway.mirror.positions.items()]


def _quotes(gateway: "Gateway", request: GetQuotes) -> Steps:
    wanted = gateway.follow_quotes(request.instruments)
    quotes = gateway.mirror.quotes
    yield Until(lambda: all(instrument in quotes for instrument in wanted), gateway.within(FIRST_QUOTE_NS))
    return [plain_quote(quotes[instrument]) for instrument in wanted if instrument in quotes]


def _limits(gateway: "Gateway", _: GetLimits) -> Steps:
    yield from gateway.synchronised()
    limits = changed_limits(gateway.configuration.risk, gateway.mirror.limits)
    return {"halted": gateway.mirror.halted, "changed": gateway.mirror.limits, **limits.model_dump(mode="json")}


def _follow(gateway: "Gateway", request: Follow) -> Steps:
    unknown = [kind for kind in request.kinds if kind not in KINDS]
    if unknown or not request.kinds:
        raise refused(f"a stream is of {', '.join(KINDS)}; not of {', '.join(unknown) or 'nothing'}")
    if "quotes" in request.kinds:
        gateway.follow_quotes(request.instruments)
    yield from gateway.synchronised()
    name = f"{gateway.ctx.incarnation}.{gateway.next_number()}"
    stream = gateway.streams[name] = ClientStream(request.kinds, request.instruments, gateway.ctx.now())
    for quote in gateway.mirror.quotes.values():
        stream.quote(quote)
    return name


def _poll(gateway: "Gateway", request: Poll) -> Steps:
    stream = gateway.stream(request.stream)
    stream.acknowledge(request.after)
    wait_ns = min(max(request.wait_ms, 0), LONGEST_POLL_MS) * NS_PER_MS
    yield Until(lambda: stream.has_news, gateway.within(wait_ns))
    return gateway.stream(request.stream).batch()


QUERIES: dict[type, Callable[["Gateway", Any], Steps]] = {
    GetTable: _table,
    GetOrders: _orders,
    GetPositions: _positions,
    GetQuotes: _quotes,
    GetLimits: _limits,
    Follow: _follow,
    Poll: _poll,
}
