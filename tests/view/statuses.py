"""One desk in the middle of its work, as its actors report it."""

from actors.status import ActorState, ActorStatus, MailboxStatus, Status, compose
from runtime.actor import Report

S = 1_000_000_000

TABLE = {
    "connector.binance": ActorStatus(
        ActorState.READY, "connector.binance", "10.0.0.1", 41, 1, 0, MailboxStatus(0, 0.0, 12345, 7)
    ),
    "order_manager": ActorStatus(ActorState.READY, "hot", "10.0.0.1", 42, 1, 0, MailboxStatus(3, 1.5, 96, 0)),
    "router": ActorStatus(ActorState.READY, "hot", "10.0.0.1", 42, 1, 0, MailboxStatus(0, 0.0, 32, 0)),
    "strategy.maker": ActorStatus(ActorState.BACKOFF, incarnation=2, restarts=2, reason="exit code 9"),
}
LATENCY = {"feed": {"p50_us": 85.4, "p99_us": 1234.0, "p999_us": 3000.0, "count": 9}}
REPORTS = {
    "connector.binance": Report(
        {"messages": 12345, "gaps": 1, "resyncs": 1, "reconnects": 2, "rejects": 3},
        {"venue": "binance", "connected": True, "links": {"market": "up"}, "books": {"BTCUSDT": "valid"}},
    ),
    "latency_monitor": Report({}, {"stages": LATENCY, "venues": {"binance": LATENCY}}),
    "order_manager": Report(
        {},
        {
            "orders": {"FILLED": 12, "CANCELED": 30, "ACCEPTED": 1, "UNKNOWN": 0},
            "fills": 14,
            "open_orders": [
                {
                    "client_order_id": "ab" * 16,
                    "strategy": "maker",
                    "venue": "binance",
                    "symbol": "BTCUSDT",
                    "side": "BUY",
                    "type": "LIMIT",
                    "quantity": "0.00100",
                    "price": "67250.10",
                    "filled": "0",
                    "state": "ACCEPTED",
                }
            ],
            "positions": {"binance.BTCUSDT": "0.003", "other.BTCUSDT": "-0.001"},
        },
    ),
    "portfolio": Report(
        {}, {"positions": {"binance.BTCUSDT": {"quantity": "0.003", "average_price": "67000", "realized_pnl": "0.12"}}}
    ),
}


def desk(seconds: int = 75, messages: int | None = None) -> Status:
    reports = dict(REPORTS)
    if messages is not None:
        connector = reports["connector.binance"]
        reports["connector.binance"] = Report({**connector.counters, "messages": messages}, connector.state)
    return compose(TABLE, reports, name="demo", ts=seconds * S, started=0)
