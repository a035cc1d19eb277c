"""Who trades contracts: wallets, positions, leverage, what is left to trade with. Cross margin, each asset apart."""

from decimal import Decimal

from actors.model.order import Side
from actors.simulation.accounts import Account
from actors.simulation.keys import PublicKey

ZERO = Decimal(0)
DEFAULT_LEVERAGE = 20
BOTH, LONG, SHORT = "BOTH", "LONG", "SHORT"


class Position:
    """`quantity` is signed; its entry price is that of what is open now."""

    __slots__ = ("entry_price", "quantity", "realized", "side", "symbol", "updated_ms")

    def __init__(self, symbol: str, side: str) -> None:
        self.symbol = symbol
        self.side = side
        self.quantity = self.entry_price = self.realized = ZERO
        self.updated_ms = 0

    def trade(self, side: Side, quantity: Decimal, price: Decimal) -> Decimal:
        """Returns the profit that this trade has realised."""
        signed = quantity if side is Side.BUY else -quantity
        if self.quantity * signed >= 0:
            cost = self.entry_price * abs(self.quantity) + price * quantity
            self.quantity += signed
            self.entry_price = cost / abs(self.quantity)
            return ZERO
        closed = min(quantity, abs(self.quantity))
        profit = (price - self.entry_price) * (closed if self.quantity > 0 else -closed)
        was_long = self.quantity > 0
        self.quantity += signed
        if not self.quantity:
            self.entry_price = ZERO
        elif (self.quantity > 0) != was_long:
            self.entry_price = price
        self.realized += profit
        return profit

    def unrealized(self, mark: Decimal) -> Decimal:
        return (mark - self.entry_price) * self.quantity


class MarginAccount(Account):
    """One API key. `wallets` may become negative only by a liquidation."""

    def __init__(
        self, key: str, secret: str, uid: int, funds: dict[str, Decimal], public_key: PublicKey | None = None
    ) -> None:
        super().__init__(key, secret, uid, {}, public_key)
        self.wallets = dict(funds)
        self.positions: dict[tuple[str, str], Position] = {}
        self.leverage: dict[str, int] = {}
        self.isolated: set[str] = set()
        self.is_hedged = False
        self.multi_asset = False
        self.income: list[dict[str, object]] = []

    def position(self, symbol: str, side: str) -> Position:
        key = (symbol, side)
        if key not in self.positions:
            self.positions[key] = Position(symbol, side)
        return self.positions[key]

    def leverage_of(self, symbol: str) -> int:
        return self.leverage.get(symbol, DEFAULT_LEVERAGE)

    def open_positions(self) -> list[Position]:
        return [position for position in self.positions.values() if position.quantity]
