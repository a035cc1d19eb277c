"""The references' side of a venue: picows links on uvloop that hand out payloads and sign and send orders.

The best that is known for one process, with nothing of Outcry's in it but the typed trade that comes out.
"""

import hmac
import itertools
import time
from collections.abc import Callable

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from scripts.benchmarks.market import ORDER_QUANTITY, STREAM, SYMBOL
from scripts.benchmarks.sockets import send_at_once

_KEY = "benchmark"
_SECRET = b"benchmark"
_BUY = (
    f"apiKey={_KEY}&newClientOrderId=%s&price=%s&quantity={ORDER_QUANTITY}&recvWindow=1000&side=BUY"
    f"&symbol={SYMBOL}&timeInForce=IOC&timestamp=%d&type=LIMIT"
)
"""What is signed: the parameters in alphabetical order."""


class MarketLink(WSListener):
    """Calls `on_frame(payload, ts_recv)` for each text frame; the view is valid during the call only."""

    def __init__(self, on_frame: Callable[[memoryview, int], None]) -> None:
        self._on_frame = on_frame

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self._on_frame(frame.get_payload_as_memoryview(), time.time_ns())


class OrderLink(WSListener):
    """Reads what the venue answers and has no use for it."""

    def __init__(self) -> None:
        self.transport: WSTransport | None = None
        self._numbers = itertools.count(1)

    def on_ws_connected(self, transport: WSTransport) -> None:
        send_at_once(transport)
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            msgspec.json.decode(frame.get_payload_as_memoryview())

    def buy(self, price: str) -> None:
        """Sign and send a limit order that fills at once or expires."""
        assert self.transport
        client_order_id = f"{next(self._numbers):032x}"
        timestamp = time.time_ns() // 1_000_000
        signed = _BUY % (client_order_id, price, timestamp)
        request = {
            "id": client_order_id,
            "method": "order.place",
            "params": {
                "apiKey": _KEY,
                "newClientOrderId": client_order_id,
                "price": price,
                "quantity": ORDER_QUANTITY,
                "recvWindow": 1000,
                "side": "BUY",
                "symbol": SYMBOL,
                "timeInForce": "IOC",
                "timestamp": timestamp,
                "type": "LIMIT",
                "signature": hmac.digest(_SECRET, signed.encode(), "sha256").hex(),
            },
        }
        self.transport.send(WSMsgType.TEXT, msgspec.json.encode(request))


async def connect(stream_url: str, on_frame: Callable[[memoryview, int], None]) -> OrderLink:
    """Open the order link, then the market link."""
    orders = OrderLink()
    await ws_connect(lambda: orders, f"{stream_url}/ws-api/v3")
    await ws_connect(lambda: MarketLink(on_frame), f"{stream_url}/stream?streams={STREAM}")
    return orders
