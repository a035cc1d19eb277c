"""A Binance protocol in a test: made, brought up, and told what the venue would write."""

from typing import Any, TypeVar

import msgspec

from actors.credentials import Keys, Secret
from actors.messages import PlaceOrder
from actors.model.order import OrderSpec, OrderType, Side, Stamps, TimeInForce
from actors.settings import VenueSettings
from actors.venues.binance import BinanceSpot
from actors.venues.contract import Output, SendFrame
from runtime.actor import HttpAnswered

NOW = 1_700_000_000_000_000_000
S = 1_000_000_000
ID = "0123456789abcdef0123456789abcdef"

T = TypeVar("T")


def a_venue(symbols: tuple[str, ...] = ("BTCUSDT",), *, keys: bool = True, per_link: int = 300) -> BinanceSpot:
    account = Keys(Secret("demo-key"), Secret("demo-secret")) if keys else None
    return BinanceSpot("binance", VenueSettings(kind="binance", symbols=list(symbols)), account, per_link)


def of(kind: type[T], outputs: list[Output]) -> list[T]:
    return [output for output in outputs if isinstance(output, kind)]


def frame(outputs: list[Output], method: str) -> dict[str, Any]:
    """The one request of this method among the frames sent."""
    sent: list[dict[str, Any]] = [msgspec.json.decode(output.payload) for output in of(SendFrame, outputs)]
    (request,) = [request for request in sent if request.get("method") == method]
    return request


def answer(request: dict[str, Any], result: object, status: int = 200, **more: object) -> bytes:
    return msgspec.json.encode({"id": request["id"], "status": status, "result": result, **more})


def refusal(request: dict[str, Any], code: int, msg: str = "no", status: int = 400, **more: object) -> bytes:
    return msgspec.json.encode({"id": request["id"], "status": status, "error": {"code": code, "msg": msg, **more}})


def event(**fields: object) -> bytes:
    return msgspec.json.encode({"subscriptionId": 0, "event": fields})


def stream(name: str, **fields: object) -> bytes:
    return msgspec.json.encode({"stream": name, "data": fields})


def update(first_id: int, last_id: int, bids: list[list[str]], asks: list[list[str]], symbol: str = "BTCUSDT") -> bytes:
    return stream(
        f"{symbol.lower()}@depth@100ms",
        e="depthUpdate",
        E=1_700_000_000_000,
        s=symbol,
        U=first_id,
        u=last_id,
        b=bids,
        a=asks,
    )


def depth(last_id: int, bids: list[list[str]], asks: list[list[str]], symbol: str = "BTCUSDT") -> HttpAnswered:
    body = msgspec.json.encode({"lastUpdateId": last_id, "bids": bids, "asks": asks})
    return HttpAnswered(f"depth:{symbol}", 200, {"x-mbx-used-weight-1m": "270"}, body, NOW)


def listing(*symbols: str) -> HttpAnswered:
    info = {
        "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}],
        "symbols": [
            {
                "symbol": symbol,
                "status": "TRADING",
                "baseAsset": symbol[:3],
                "quoteAsset": symbol[3:],
                "filters": [
                    {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01000"},
                    {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001000"},
                    {"filterType": "NOTIONAL", "minNotional": "5.00", "maxNotional": "9000000.00"},
                    {"filterType": "TRAILING_DELTA", "minTrailingAboveDelta": 10},
                ],
            }
            for symbol in symbols
        ],
    }
    return HttpAnswered("instruments", 200, {}, msgspec.json.encode(info), NOW)


def up(venue: BinanceSpot, now: int = NOW) -> list[Output]:
    """Listed, connected and subscribed; the outputs of the last step."""
    venue.start(now)
    venue.on_http(listing(*venue.symbols), now)
    for link in ("feed-0", "feed-1"):
        venue.on_link_up(link, now)
    return subscribe(venue, now)


def subscribe(venue: BinanceSpot, now: int) -> list[Output]:
    time = frame(venue.on_link_up("orders", now), "time")
    outputs = venue.on_frame("orders", answer(time, {"serverTime": now // 1_000_000}), now)
    return venue.on_frame(
        "orders", answer(frame(outputs, "userDataStream.subscribe.signature"), {"subscriptionId": 0}), now
    )


def place(**changes: Any) -> PlaceOrder:
    order = OrderSpec(
        client_order_id=ID,
        strategy="maker",
        venue="binance",
        symbol="BTCUSDT",
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity="0.5",
        price="100.00",
        time_in_force=TimeInForce.GTC,
    )
    return PlaceOrder(msgspec.structs.replace(order, **changes), Stamps(), 1, NOW + S)
