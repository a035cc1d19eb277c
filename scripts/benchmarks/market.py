"""The market of the benchmark: trades of one symbol in Binance's combined-stream frames, and how references read them.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams#trade-streams

A trade's id carries the measurement: in a paced phase the sender's monotonic clock in nanoseconds, in a flood the
number of the frame. Its quantity says what the frame is for: an ordinary trade, a trigger (the strategy buys at the
trade's price, and no two triggers of a phase have the same price) or the end of a phase (its id names the phase).
"""

import time

import msgspec

from actors.messages import Trade
from actors.model.order import Side

SYMBOL = "BTCUSDT"
STREAM = "btcusdt@trade"
QUOTES = "btcusdt@bookTicker"
ORDINARY = "0.01000000"
TRIGGER = "0.02000000"
END = "0.03000000"
ORDER_QUANTITY = "0.01000000"
LAST_PRICE = "100.00000000"
ASK = "100.01000000"
MAX_TRIGGERS = 5000
"""Prices of triggers lie within 5 % of the last price, a tick of 0.001 apart."""

_TEXT_FRAME = b"\x81\x7e"


def trigger_price(number: int) -> str:
    return f"9{5 + number // 1000}.{number % 1000:03d}00000"


def trade_frame(trade_id: int, price: str, quantity: str) -> bytes:
    """One whole WebSocket frame of a server: header and payload."""
    now_ms = time.time_ns() // 1_000_000
    payload = (
        f'{{"stream":"{STREAM}","data":{{"e":"trade","E":{now_ms},"s":"{SYMBOL}","t":{trade_id},'
        f'"p":"{price}","q":"{quantity}","T":{now_ms},"m":false,"M":true}}}}'
    ).encode()
    return _TEXT_FRAME + len(payload).to_bytes(2, "big") + payload


def quote(update_id: int = 1) -> bytes:
    """The payload of the best bid and ask around the last price: whoever checks prices waits for one."""
    return (
        f'{{"stream":"{QUOTES}","data":{{"u":{update_id},"s":"{SYMBOL}","b":"{LAST_PRICE}","B":"{ORDINARY}",'
        f'"a":"{ASK}","A":"{ORDINARY}"}}}}'
    ).encode()


class _TradeData(msgspec.Struct, gc=False):
    s: str
    t: int
    p: str
    q: str
    T: int
    m: bool


class _Combined(msgspec.Struct, gc=False):
    data: _TradeData


_decoder: msgspec.json.Decoder[_Combined] = msgspec.json.Decoder(_Combined)


def read_trade(payload: bytes | memoryview, ts_recv: int) -> Trade:
    """What every reference makes of a frame: the same typed value that Outcry's strategies get."""
    data = _decoder.decode(payload).data
    return Trade(
        "binance",
        data.s,
        str(data.t),
        data.p,
        data.q,
        Side.SELL if data.m else Side.BUY,
        data.T * 1_000_000,
        ts_recv,
    )
