"""The local exchange, a process of its own: a market stream on command, and a clock at both ends of the order path.

It speaks as much of Binance's protocol as a connector needs to start and to trade:

    WebSocket   /stream or /ws        market data: what a phase sends
                /ws-api/v3            order.place, and empty answers for account, open orders and user data stream
    HTTP        /api/v3/…             exchangeInfo, time, depth and the like
                /bench/quote          one more quote on each market link, while no phase runs
                /bench/state          {"market": links, "orders": links}
                /bench/feed           {"phase", "count", "rate"}; → Sent; rate 0 is a flood
                /bench/orders         {"phase", "count", "rate", "every", "patience_s"} → OrderLatencies;
                                      each n-th frame is a trigger

The latency of an order is its frame's arrival here less the moment its trigger was written here, by the same clock; the
order's price tells which trigger it answers.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import uvloop
from aiohttp import web
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from scripts.benchmarks import binance_answers
from scripts.benchmarks.market import (
    END,
    LAST_PRICE,
    MAX_TRIGGERS,
    ORDINARY,
    QUOTES,
    TRIGGER,
    quote,
    trade_frame,
    trigger_price,
)
from scripts.benchmarks.pacing import Schedule, Sent, flood, write_all
from scripts.benchmarks.processes import exit_with_parent
from scripts.benchmarks.sockets import send_at_once


class OrderLatencies(msgspec.Struct, frozen=True):
    triggers: int
    latencies_ns: list[int]
    """Of those that were answered."""
    late: int


class Exchange:
    """One contender's exchange; it expects one market link and one order link."""

    def __init__(self) -> None:
        self.market_links: list[WSTransport] = []
        self.order_links: list[WSTransport] = []
        self._ordered: dict[Decimal, int] = {}
        """Price of an order → when its frame arrived."""
        self._expected: dict[Decimal, str] = {}
        """Price of each trigger of this phase, as it is written."""
        self._triggers = 0
        """Of all phases: a late order of an earlier one must not be taken for one of this."""
        self._all_ordered = asyncio.Event()
        self._update_id = 1

    # ---- phases --------------------------------------------------------------------------------------------------

    async def feed(self, phase: str, count: int, rate: int) -> Sent:
        descriptor = self._market_descriptor()
        sent = await asyncio.to_thread(self._flood if rate == 0 else self._pace, descriptor, count, rate)
        write_all(descriptor, trade_frame(int(phase), LAST_PRICE, END))
        return sent

    async def orders(self, phase: str, count: int, rate: int, every: int, patience_s: float) -> OrderLatencies:
        """The last orders are waited for so long."""
        if count > MAX_TRIGGERS:
            raise ValueError(f"{count} triggers, at most {MAX_TRIGGERS} have prices of their own")
        descriptor = self._market_descriptor()
        prices = [trigger_price((self._triggers + number) % MAX_TRIGGERS) for number in range(count)]
        self._triggers += count
        self._ordered.clear()
        self._expected = {Decimal(price): price for price in prices}
        self._all_ordered.clear()
        triggered, late = await asyncio.to_thread(self._trigger, descriptor, prices, rate, every)
        write_all(descriptor, trade_frame(int(phase), LAST_PRICE, END))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_ordered.wait(), patience_s)
        latencies = [self._ordered[price] - at for price, at in triggered.items() if price in self._ordered]
        return OrderLatencies(count, latencies, late)

    async def quote(self) -> int:
        self._update_id += 1
        for link in self.market_links:
            link.send(WSMsgType.TEXT, quote(self._update_id))
        return len(self.market_links)

    def _market_descriptor(self) -> int:
        if not self.market_links:
            raise web.HTTPConflict(text="no market link")
        descriptor: int = self.market_links[-1].underlying_transport.get_extra_info("socket").fileno()
        return descriptor

    def _flood(self, descriptor: int, count: int, rate: int) -> Sent:
        return flood(descriptor, [trade_frame(number, LAST_PRICE, ORDINARY) for number in range(count)])

    def _pace(self, descriptor: int, count: int, rate: int) -> Sent:
        schedule = Schedule(count, rate)
        for _ in schedule:
            write_all(descriptor, trade_frame(time.monotonic_ns(), LAST_PRICE, ORDINARY))
        return Sent(count, schedule.began, schedule.late)

    def _trigger(self, descriptor: int, prices: list[str], rate: int, every: int) -> tuple[dict[Decimal, int], int]:
        triggered: dict[Decimal, int] = {}
        schedule = Schedule(len(prices) * every, rate)
        for number in schedule:
            if number % every:
                write_all(descriptor, trade_frame(time.monotonic_ns(), LAST_PRICE, ORDINARY))
            else:
                price = prices[number // every]
                frame = trade_frame(time.monotonic_ns(), price, TRIGGER)
                triggered[Decimal(price)] = time.monotonic_ns()
                write_all(descriptor, frame)
        return triggered, schedule.late

    # ---- links ---------------------------------------------------------------------------------------------------

    def accept(self, request: WSUpgradeRequest) -> WSListener:
        if request.path.startswith(b"/ws-api/"):
            return OrderLink(self)
        return MarketLink(self, wants_quote=QUOTES.encode() in request.path)

    def on_order(self, price: Decimal, arrived: int) -> None:
        if price in self._expected:
            self._ordered.setdefault(price, arrived)
        if len(self._ordered) == len(self._expected):
            self._all_ordered.set()


class MarketLink(WSListener):
    """Nothing is written here while a phase runs: its thread owns the socket then."""

    def __init__(self, exchange: Exchange, *, wants_quote: bool) -> None:
        self._exchange = exchange
        self._wants_quote = wants_quote

    def on_ws_connected(self, transport: WSTransport) -> None:
        send_at_once(transport)
        self._exchange.market_links.append(transport)
        if self._wants_quote:
            transport.send(WSMsgType.TEXT, quote())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._exchange.market_links.remove(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            request = json.loads(frame.get_payload_as_bytes())
            transport.send(WSMsgType.TEXT, msgspec.json.encode({"result": None, "id": request["id"]}))
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()


class OrderLink(WSListener):
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._hears_account = False

    def on_ws_connected(self, transport: WSTransport) -> None:
        send_at_once(transport)
        self._exchange.order_links.append(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._exchange.order_links.remove(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        arrived = time.monotonic_ns()
        if frame.msg_type == WSMsgType.TEXT:
            self._on_request(transport, json.loads(frame.get_payload_as_bytes()), arrived)
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()

    def _on_request(self, transport: WSTransport, request: dict[str, Any], arrived: int) -> None:
        method, parameters = request["method"], request.get("params", {})
        if method == "order.place":
            self._exchange.on_order(Decimal(parameters["price"]), arrived)
        elif method == "userDataStream.subscribe.signature":
            self._hears_account = True
        for answer in binance_answers.to_request(request["id"], method, parameters, self._hears_account):
            transport.send(WSMsgType.TEXT, msgspec.json.encode(answer))


async def serve(exchange: Exchange) -> dict[str, str]:
    """Start both servers on free ports of the loopback and return their addresses."""
    sockets = await ws_create_server(exchange.accept, "127.0.0.1", 0)
    stream_port = sockets.sockets[0].getsockname()[1]
    application = web.Application()
    application.router.add_get("/bench/state", _state(exchange))
    application.router.add_post("/bench/quote", _command(exchange.quote))
    application.router.add_post("/bench/feed", _command(exchange.feed))
    application.router.add_post("/bench/orders", _command(exchange.orders))
    application.router.add_route("*", "/api/v3/{endpoint:.*}", _rest)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    rest_port = runner.addresses[0][1]
    return {"rest_url": f"http://127.0.0.1:{rest_port}", "stream_url": f"ws://127.0.0.1:{stream_port}"}


def _state(exchange: Exchange) -> Callable[[web.Request], Any]:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"market": len(exchange.market_links), "orders": len(exchange.order_links)})

    return answer


def _command(run: Callable[..., Any]) -> Callable[[web.Request], Any]:
    async def answer(request: web.Request) -> web.Response:
        result = await run(**await request.json())
        return web.Response(body=msgspec.json.encode(result), content_type="application/json")

    return answer


async def _rest(request: web.Request) -> web.Response:
    return web.json_response(binance_answers.to_rest(request.match_info["endpoint"]))


async def main() -> None:
    print(json.dumps(await serve(Exchange())), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    exit_with_parent()
    uvloop.run(main())
