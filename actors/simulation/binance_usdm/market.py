"""One contract of the venue: the spot market's engine and candles, and what futures publish of them.

Update ids are shared by all contracts, so a diff names the last id of the diff before it (`pu`). Sources:
https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

from decimal import Decimal

from actors.model.order import Side
from actors.simulation.binance.candles import Candles
from actors.simulation.binance.market import PARTIAL_DEPTHS, AggregateTrade, DepthBatch, Market, Trade
from actors.simulation.binance.numbers import to_ms
from actors.simulation.binance.streams import StreamHub
from actors.simulation.binance_usdm.contracts import ContractRules

_FUNDING_RATE = Decimal("0.00010000")


class UpdateIds:
    """The one counter of the venue."""

    def __init__(self, first: int) -> None:
        self.last = first

    def next(self) -> int:
        self.last += 1
        return self.last


class FuturesMarket(Market):
    """`funding_ms` is how far apart fundings are; the next one is at a multiple of it."""

    rules: ContractRules

    def __init__(
        self,
        rules: ContractRules,
        hub: StreamHub,
        candles: Candles,
        price: Decimal,
        first_ids: int,
        ids: UpdateIds | None = None,
        funding_ms: int = 8 * 3_600_000,
    ) -> None:
        super().__init__(rules, hub, candles, price, first_ids)
        self.funding_rate = _FUNDING_RATE
        self.funding_ms = funding_ms
        self.forced_mark: Decimal | None = None
        """A test may set the mark price."""
        self._ids = ids or UpdateIds(first_ids)
        self._ms = 0
        self._sent_id = 0
        self.rules = rules

    @property
    def mark_price(self) -> Decimal:
        """The middle of the book; the last price where a side is empty."""
        if self.forced_mark is not None:
            return self.forced_mark
        bid, ask = self.best()
        return (bid[0] + ask[0]) / 2 if bid and ask else self.last_price

    def next_funding(self, ms: int) -> int:
        return ms // self.funding_ms * self.funding_ms + self.funding_ms

    def snapshot(self, limit: int) -> dict[str, object]:
        return {"E": self._ms, "T": self._ms, **super().snapshot(limit)}

    def tick_fast(self, now: int) -> None:
        self._ms = to_ms(now)
        super().tick_fast(now)

    def tick_slow(self, now: int) -> None:
        self._ms = to_ms(now)
        super().tick_slow(now)
        for stream in (self._prefix + "markPrice@1s", self._prefix + "markPrice"):
            if self._wanted(stream):
                self._hub.publish(stream, self.mark_price_event(to_ms(now)))

    def mark_price_event(self, ms: int) -> dict[str, object]:
        mark = f"{self.mark_price:.8f}"
        return {
            "e": "markPriceUpdate",
            "E": ms,
            "s": self.symbol,
            "p": mark,
            "ap": mark,
            "P": mark,
            "i": f"{self.last_price:.8f}",
            "r": f"{self.funding_rate:.8f}",
            "T": self.next_funding(ms),
        }

    def publish_liquidation(self, side: Side, quantity: Decimal, price: Decimal, average: Decimal, ms: int) -> None:
        order = {
            "s": self.symbol,
            "S": side.value,
            "o": "LIMIT",
            "f": "IOC",
            "q": str(quantity),
            "p": str(price),
            "ap": str(average),
            "X": "FILLED",
            "l": str(quantity),
            "z": str(quantity),
            "T": ms,
        }
        event = {"e": "forceOrder", "E": ms, "o": order}
        for stream in (self._prefix + "forceOrder", "!forceOrder@arr"):
            self._hub.publish(stream, event)

    def _record_change(self, update_id: int, side: Side, price: Decimal, quantity: Decimal) -> None:
        self.last_update_id = self._ids.next()
        super()._record_change(self.last_update_id, side, price, quantity)

    def _publish_aggregates(self, trades: list[Trade]) -> None:
        for trade in trades:
            self._next_aggregate_id += 1
            ids = (trade.trade_id, trade.trade_id)
            aggregate = AggregateTrade(
                self._next_aggregate_id, trade.price, trade.quantity, *ids, trade.ms, trade.buyer_is_maker
            )
            self.aggregates.append(aggregate)
            if self._wanted(stream := self._prefix + "aggTrade"):
                row = aggregate.row()
                del row["M"]
                self._hub.publish(stream, {"e": "aggTrade", "E": trade.ms, "s": self.symbol, **row})

    def _publish_best(self) -> None:
        best = self.best()
        if best == self._best:
            return
        self._best = best
        bid, ask = best
        if bid is None or ask is None or not self._wanted(stream := self._prefix + "bookTicker"):
            return
        event = {
            "e": "bookTicker",
            "u": self.last_update_id,
            "s": self.symbol,
            "b": str(bid[0]),
            "B": str(bid[1]),
            "a": str(ask[0]),
            "A": str(ask[1]),
            "T": self._ms,
            "E": self._ms,
        }
        self._hub.publish(stream, event)

    def _publish_partial(self, speed: str) -> None:
        """In the shape of a diff, but with the best levels whole."""
        for depth in PARTIAL_DEPTHS:
            stream = f"{self._prefix}depth{depth}{speed}"
            if self._wanted(stream) and self._partial_sent.get(stream) != self.last_update_id:
                previous = self._partial_sent.get(stream, self.last_update_id)
                self._partial_sent[stream] = self.last_update_id
                top = super().snapshot(depth)
                event = {"e": "depthUpdate", "E": self._ms, "T": self._ms, "s": self.symbol}
                ids = {"U": previous, "u": self.last_update_id, "pu": previous}
                self._hub.publish(stream, {**event, **ids, "b": top["bids"], "a": top["asks"]})

    def _ticker_event(self, ms: int) -> dict[str, object]:
        event = super()._ticker_event(ms)
        return {name: value for name, value in event.items() if name not in ("x", "b", "B", "a", "A")}

    def _publish_batch(self, batch: DepthBatch, now: int) -> None:
        if not batch.first_id:
            return
        full = batch.take()
        if batch is not self._fast:
            return
        previous, self._sent_id = self._sent_id or full.first_id - 1, self.last_update_id
        if not self._wanted(full.stream):
            return
        event = {
            "e": "depthUpdate",
            "E": to_ms(now),
            "T": to_ms(now),
            "s": self.symbol,
            "U": full.first_id,
            "u": self.last_update_id,
            "pu": previous,
            "b": [(str(price), str(quantity)) for price, quantity in sorted(full.bids.items(), reverse=True)],
            "a": [(str(price), str(quantity)) for price, quantity in sorted(full.asks.items())],
        }
        self._hub.publish(full.stream, event)
