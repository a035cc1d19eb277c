"""A market from a seed: one symbol's book in constant change, told to the oracle change by change, to others as the
venue does: the changes of an interval in one frame, each level with the quantity that it has at the end.
"""

import json
from random import Random

from tests.faults.oracle import Levels, Oracle, Update

MIDDLE, REACH = 10_000, 60
"""Prices are whole cents around 100.00."""


class Market:
    """Of Binance spot: every change of a symbol has the id after the one before."""

    def __init__(self, symbol: str, random: Random) -> None:
        self.symbol = symbol
        self._random = random
        self._bids = {price: random.randint(1, 99) for price in range(MIDDLE - 8, MIDDLE)}
        self._asks = {price: random.randint(1, 99) for price in range(MIDDLE + 1, MIDDLE + 9)}
        self.last_id = random.randint(1_000, 1_000_000)
        self._told = self.last_id
        """Last id of the last frame."""
        self._changed: tuple[set[int], set[int]] = (set(), set())
        self.oracle = Oracle(self.last_id, *self._levels())

    def change(self) -> None:
        """One change of one level; the best bid stays below the best ask."""
        random = self._random
        earlier, self.last_id = self.last_id, self._next_id()
        if random.random() < 0.5:
            side, changed = self._bids, self._changed[0]
            price = random.randint(MIDDLE - REACH, min(min(self._asks), MIDDLE + REACH) - 1)
            if random.random() < 0.8:
                price = max(price, max(self._bids) - 6)
        else:
            side, changed = self._asks, self._changed[1]
            price = random.randint(max(max(self._bids), MIDDLE - REACH) + 1, MIDDLE + REACH)
            if random.random() < 0.8:
                price = min(price, min(self._asks) + 6)
        quantity = 0 if price in side and len(side) > 3 and random.random() < 0.6 else random.randint(1, 99)
        if quantity:
            side[price] = quantity
        else:
            del side[price]
        changed.add(price)
        level = [_level(price, quantity)]
        bids, asks = (level, []) if side is self._bids else ([], level)
        self.oracle.update(Update(earlier + 1, self.last_id, bids, asks))

    def frame(self, ts_ms: int) -> tuple[int, bytes] | None:
        """What has changed since the last frame, and its last id; None if nothing has."""
        if self.last_id == self._told:
            return None
        bids, asks = self._changed
        data = {
            "e": "depthUpdate",
            "E": ts_ms,
            "s": self.symbol,
            "U": self._told + 1,
            "u": self.last_id,
            **self._chain(),
            "b": [_level(price, self._bids.get(price, 0)) for price in sorted(bids, reverse=True)],
            "a": [_level(price, self._asks.get(price, 0)) for price in sorted(asks)],
        }
        self._told = self.last_id
        self._changed = (set(), set())
        stream = {"stream": f"{self.symbol.lower()}@depth@100ms", "data": data}
        return self.last_id, json.dumps(stream, separators=(",", ":")).encode()

    def depth(self) -> bytes:
        """Body of the answer to a depth request."""
        bids, asks = self._levels()
        last_id = self._present_id()
        self.oracle.witness(last_id, bids, asks)
        return json.dumps({"lastUpdateId": last_id, "bids": bids, "asks": asks}).encode()

    def _next_id(self) -> int:
        return self.last_id + 1

    def _present_id(self) -> int:
        return self.last_id

    def _chain(self) -> dict[str, int]:
        return {}

    def _levels(self) -> tuple[Levels, Levels]:
        return (
            [_level(price, self._bids[price]) for price in sorted(self._bids, reverse=True)],
            [_level(price, self._asks[price]) for price in sorted(self._asks)],
        )


class ChainedMarket(Market):
    """Of USD-M futures: other symbols take ids in between, and `pu` of a frame is `u` of the frame before.

    Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/
    How-to-manage-a-local-order-book-correctly
    """

    _others_id = 0
    """Of the last change of any symbol."""

    def _next_id(self) -> int:
        return self._present_id() + 1

    def _present_id(self) -> int:
        self._others_id = max(self._others_id, self.last_id) + self._random.randrange(3)
        return self._others_id

    def _chain(self) -> dict[str, int]:
        return {"pu": self._told}


def _level(price: int, quantity: int) -> tuple[str, str]:
    return f"{price // 100}.{price % 100:02}", f"{quantity / 100:.5f}" if quantity else "0.00000"
