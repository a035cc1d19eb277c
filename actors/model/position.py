"""A position as the sum of its fills: signed quantity, average price of what is open, profit of what was closed."""

from decimal import Decimal

import msgspec

from actors.model.order import Side

ZERO = Decimal(0)


class Position(msgspec.Struct):
    """Base quantity, positive when long. Netting: a fill against the position closes before it opens."""

    quantity: Decimal = ZERO
    average_price: Decimal | None = None
    """Of what is open; None when flat."""
    realized_pnl: Decimal = ZERO
    """In the quote asset, fees not deducted."""
    fees: dict[str, Decimal] = msgspec.field(default_factory=dict)
    """Asset → paid in all."""

    def add_fill(self, side: Side, quantity: Decimal, price: Decimal, fee: Decimal, fee_asset: str) -> None:
        signed = quantity if side is Side.BUY else -quantity
        before = self.quantity
        after = before + signed
        if self.average_price is None or before == 0:
            self.average_price = price
        elif (before > 0) == (signed > 0):
            self.average_price = (abs(before) * self.average_price + quantity * price) / (abs(before) + quantity)
        else:
            closed = min(abs(before), quantity)
            gain = price - self.average_price
            self.realized_pnl += closed * (gain if before > 0 else -gain)
            if quantity > abs(before):
                self.average_price = price
        if after == 0:
            self.average_price = None
        self.quantity = after
        if fee:
            self.fees[fee_asset] = self.fees.get(fee_asset, ZERO) + fee

    def unrealized_pnl(self, price: Decimal) -> Decimal:
        return ZERO if self.average_price is None else self.quantity * (price - self.average_price)
