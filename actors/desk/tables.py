"""What the frames of a desk consist of: their columns, and their rows out of what the gateway answers."""

from collections.abc import Mapping
from typing import Any

from actors.desk.frames import Column

TEXT, COUNT, NUMBER, REAL, FLAG, TIME, DATA = Column

ACTORS = {
    "actor": TEXT,
    "state": TEXT,
    "host": TEXT,
    "node": TEXT,
    "pid": COUNT,
    "life": COUNT,
    "restarts": COUNT,
    "waiting": COUNT,
    "oldest_ms": REAL,
    "handled": COUNT,
    "dropped": COUNT,
    "reason": TEXT,
}
TREE = {
    "name": TEXT,
    "kind": TEXT,
    "parent": TEXT,
    "state": TEXT,
    "pid": COUNT,
    "life": COUNT,
    "restarts": COUNT,
    "reason": TEXT,
}
VENUES = {
    "venue": TEXT,
    "connected": FLAG,
    "messages": COUNT,
    "gaps": COUNT,
    "resyncs": COUNT,
    "reconnects": COUNT,
    "rejects": COUNT,
}
LATENCY = {"venue": TEXT, "stage": TEXT, "p50_us": REAL, "p99_us": REAL, "p999_us": REAL, "count": COUNT}
ORDERS = {
    "client_order_id": TEXT,
    "strategy": TEXT,
    "instrument": TEXT,
    "side": TEXT,
    "type": TEXT,
    "quantity": NUMBER,
    "price": NUMBER,
    "filled": NUMBER,
    "average_price": NUMBER,
    "state": TEXT,
    "reason": TEXT,
    "venue_order_id": TEXT,
    "ts": TIME,
}
POSITIONS = {
    "instrument": TEXT,
    "quantity": NUMBER,
    "average_price": NUMBER,
    "realized_pnl": NUMBER,
    "fees": DATA,
}
QUOTES = {
    "instrument": TEXT,
    "bid": NUMBER,
    "bid_quantity": NUMBER,
    "ask": NUMBER,
    "ask_quantity": NUMBER,
    "ts_venue": TIME,
    "ts_recv": TIME,
}

Status = Mapping[str, Any]
"""Plain form of `actors.status.Status`."""


def actor_rows(status: Status) -> list[dict[str, Any]]:
    return [
        {
            **actor,
            "actor": name,
            "life": actor["incarnation"],
            "waiting": actor["mailbox"]["depth"],
            **{key: actor["mailbox"][key] for key in ("oldest_ms", "handled", "dropped")},
        }
        for name, actor in status["actors"].items()
    ]


def tree_rows(status: Status) -> list[dict[str, Any]]:
    """The supervisor, under it each host, under it its actors."""
    rows: list[dict[str, Any]] = []
    hosts: set[str] = set()
    for name, actor in status["actors"].items():
        shared = {key: actor[key] for key in ("state", "pid", "restarts", "reason")} | {"life": actor["incarnation"]}
        if name == "supervisor":
            rows.append({"name": name, "kind": "supervisor", "parent": "", **shared})
            continue
        if actor["host"] not in hosts:
            hosts.add(actor["host"])
            host = {"name": actor["host"], "kind": "host", "parent": "supervisor", "pid": actor["pid"]}
            rows.append(host)
        rows.append({"name": name, "kind": "actor", "parent": actor["host"], **shared})
    return rows


def venue_rows(status: Status) -> list[dict[str, Any]]:
    return [{"venue": name, **venue} for name, venue in status["venues"].items()]


def latency_rows(status: Status) -> list[dict[str, Any]]:
    """The whole desk first, with "" as venue."""
    rows = [{"venue": "", "stage": stage, **values} for stage, values in status["latency"].items()]
    for name, venue in status["venues"].items():
        rows += [{"venue": name, "stage": stage, **values} for stage, values in venue["latency"].items()]
    return rows
