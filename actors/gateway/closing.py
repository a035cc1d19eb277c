"""Which orders close positions: pure."""

from collections.abc import Collection, Mapping
from decimal import Decimal

import msgspec

from actors.model.order import Side
from actors.model.position import ZERO


class Closing(msgspec.Struct, frozen=True):
    strategy: str
    """Whose position it is: the fill counts for it, so that it does not go on trading against what it no longer has."""
    instrument: str
    side: Side
    quantity: Decimal


def closings(positions: Mapping[str, Mapping[str, Decimal]], instruments: Collection[str]) -> list[Closing]:
    """`positions` by strategy and instrument, signed. What strategies hold against each other is left alone: the desk
    as a whole holds nothing of it, and closing both would trade with ourselves.
    """
    orders = []
    for instrument in sorted({key for own in positions.values() for key in own}):
        if instruments and instrument not in instruments:
            continue
        held = {strategy: own.get(instrument, ZERO) for strategy, own in positions.items()}
        net = sum(held.values(), ZERO)
        side = Side.SELL if net > 0 else Side.BUY
        left = abs(net)
        same = [(abs(quantity), strategy) for strategy, quantity in held.items() if quantity * net > 0]
        for quantity, strategy in sorted(same, reverse=True):
            taken = min(left, quantity)
            if taken:
                orders.append(Closing(strategy, instrument, side, taken))
            left -= taken
    return orders
