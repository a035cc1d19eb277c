"""Does this event make sense? Looked at before it is published; one that does not is quarantined, never passed on.

Four rules: a price is a positive number, a time is not more than a minute ahead, a price lies within half and double of
what the last minutes saw, and no bid is at or above its ask. Book updates are not looked at here: a protocol judges
them by their own rules, and one that is left out would break the chain of all that follow.
"""

from actors.messages import AggregateTrade, Kline, MarketEvent, MiniTicker, Quote, Ticker, Trade
from runtime.clock import NS_PER_S

AHEAD_NS = 60 * NS_PER_S
BELOW, ABOVE = 0.5, 2.0
TURN_NS = 60 * NS_PER_S
"""The recent range is that of the last one to two such spans; a price that stays elsewhere for longer is the market."""

INFINITY, NAN = float("inf"), float("nan")

NOT_POSITIVE = "PRICE_NOT_POSITIVE"
IN_FUTURE = "TIME_IN_FUTURE"
OUT_OF_RANGE = "PRICE_OUT_OF_RANGE"
CROSSED = "CROSSED"


class PriceRange:
    """Lowest and highest price of one symbol in the present and the last span."""

    __slots__ = ("_earlier", "ends", "high", "low")

    def __init__(self) -> None:
        self.low = INFINITY
        self.high = 0.0
        """Both of the present span; nothing lies between them in the beginning."""
        self._earlier = (INFINITY, 0.0)
        self.ends = 0

    def turn(self, now: int) -> None:
        self._earlier = (self.low, self.high) if now < self.ends + TURN_NS else (INFINITY, 0.0)
        self.low, self.high = INFINITY, 0.0
        self.ends = now + TURN_NS

    def take(self, low: float, high: float) -> bool:
        """False for prices that are too far away from those of the last spans."""
        lowest = min(self.low, self._earlier[0])
        highest = max(self.high, self._earlier[1])
        if highest and not (lowest * BELOW <= low and high <= highest * ABOVE):
            return False
        self.low = min(self.low, low)
        self.high = max(self.high, high)
        return True


class _Ranges(dict[str, PriceRange]):
    def __missing__(self, symbol: str) -> PriceRange:
        added = self[symbol] = PriceRange()
        return added


class Validator:
    """Each check answers with the name of the rule that is broken, or with ""."""

    def __init__(self) -> None:
        self.ranges = _Ranges()
        """By symbol."""

    def quote(self, quote: Quote) -> str:
        """A caller in a hurry first looks whether it lies within `ranges[symbol]` of the present span: most do."""
        bid, ask = _number(quote.bid), _number(quote.ask)
        if bid >= ask > 0 < bid:
            return CROSSED
        return self._prices(quote.symbol, bid, ask, quote.ts_venue, quote.ts_recv)

    def trade(self, trade: Trade | AggregateTrade) -> str:
        """As for `quote`, a caller in a hurry looks at the range first."""
        price = _number(trade.price)
        return self._prices(trade.symbol, price, price, trade.ts_venue, trade.ts_recv)

    def other(self, event: MarketEvent) -> str:
        match event:
            case AggregateTrade():
                return self.trade(event)
            case Ticker():
                bid, ask = _number(event.bid or "0"), _number(event.ask or "0")
                if bid >= ask > 0 < bid:
                    return CROSSED
                last = _number(event.last)
                return self._prices(event.symbol, last, last, event.ts_venue, event.ts_recv)
            case MiniTicker():
                last = _number(event.last)
                return self._prices(event.symbol, last, last, event.ts_venue, event.ts_recv)
            case Kline():
                close = _number(event.close)
                return self._prices(event.symbol, close, close, event.ts_venue, event.ts_recv)
            case _:
                return ""

    def _prices(self, symbol: str, low: float, high: float, ts_venue: int, ts_recv: int) -> str:
        if not (0 < low < INFINITY and 0 < high < INFINITY):
            return NOT_POSITIVE
        if ts_venue - ts_recv > AHEAD_NS:
            return IN_FUTURE
        seen = self.ranges[symbol]
        if ts_recv >= seen.ends:
            seen.turn(ts_recv)
        return "" if seen.take(low, high) else OUT_OF_RANGE


def _number(text: str) -> float:
    """NaN for what is none."""
    try:
        return float(text)
    except ValueError:
        return NAN
