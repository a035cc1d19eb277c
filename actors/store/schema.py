"""The tables of the store, as data. They hold nothing that the journal does not: a new version is built anew."""

from dataclasses import dataclass
from enum import Enum

SCHEMA_VERSION = 1


class ColumnType(Enum):
    TEXT = "text"
    INTEGER = "integer"
    """64 bits; times are nanoseconds since the epoch."""
    NUMBER = "number"
    """A decimal number, exact."""
    JSON = "json"


@dataclass(frozen=True)
class Table:
    name: str
    key: tuple[str, ...]
    columns: dict[str, ColumnType]
    """The key's first."""


Value = str | int | None


@dataclass(frozen=True)
class Row:
    """Replaces the row with the same key."""

    table: Table
    values: tuple[Value, ...]
    """One per column, in their order. A NUMBER is its decimal string."""


TEXT, INTEGER, NUMBER, JSON = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.JSON

ORDERS = Table(
    "orders",
    ("client_order_id",),
    {
        "client_order_id": TEXT,
        "strategy": TEXT,
        "venue": TEXT,
        "symbol": TEXT,
        "side": TEXT,
        "type": TEXT,
        "time_in_force": TEXT,
        "post_only": INTEGER,
        "quantity": NUMBER,
        "price": NUMBER,
        "state": TEXT,
        "filled_quantity": NUMBER,
        "average_price": NUMBER,
        "venue_order_id": TEXT,
        "reason": TEXT,
        "submitted": INTEGER,
        "updated": INTEGER,
    },
)
FILLS = Table(
    "fills",
    ("venue", "symbol", "trade_id", "client_order_id"),
    {
        "venue": TEXT,
        "symbol": TEXT,
        "trade_id": TEXT,
        "client_order_id": TEXT,
        "sequence": INTEGER,
        "venue_order_id": TEXT,
        "strategy": TEXT,
        "side": TEXT,
        "price": NUMBER,
        "quantity": NUMBER,
        "fee": NUMBER,
        "fee_asset": TEXT,
        "maker": INTEGER,
        "ts_venue": INTEGER,
        "ts_recv": INTEGER,
        "ts": INTEGER,
    },
)
DECISIONS = Table(
    "decisions",
    ("sequence",),
    {
        "sequence": INTEGER,
        "client_order_id": TEXT,
        "venue": TEXT,
        "connector": TEXT,
        "reasons": JSON,
        "ts": INTEGER,
    },
)
_HOLDING = {
    "quantity": NUMBER,
    "average_price": NUMBER,
    "realized_pnl": NUMBER,
    "fees": JSON,
    "updated": INTEGER,
}
POSITIONS = Table("positions", ("venue", "symbol"), {"venue": TEXT, "symbol": TEXT, **_HOLDING})
STRATEGY_POSITIONS = Table(
    "strategy_positions",
    ("strategy", "venue", "symbol"),
    {"strategy": TEXT, "venue": TEXT, "symbol": TEXT, **_HOLDING},
)
TABLES = (ORDERS, FILLS, DECISIONS, POSITIONS, STRATEGY_POSITIONS)
