"""Faults ordered, read and taken away over HTTP."""

from typing import Any

import msgspec
import pytest

from actors.simulation.binance.venue import FakeBinance
from actors.simulation.faults import (
    LinkRole,
)
from tests.simulation.faulty import trades
from tests.simulation.pure import START, PureClient

BUY = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": "60000"}
STREAM = LinkRole.STREAM


@pytest.fixture
def client() -> PureClient:
    return PureClient(FakeBinance(START, rate=0, symbols=("BTCUSDT", "ETHUSDT")))


def test_faults_are_ordered_and_read_over_http(client: PureClient) -> None:
    faults = [
        {"kind": "drop", "link": "stream", "subject": "btcusdt@trade", "count": 2},
        {"kind": "clock_skew", "offset_ms": 5},
    ]
    posted = client.http("POST", "/fake/faults", body=msgspec.json.encode(faults).decode())
    assert (posted.status, posted.body) == (200, b'{"ids":[1,2]}')
    trades(client, client.connect("/ws/btcusdt@trade"), 1)
    report: Any = msgspec.json.decode(client.http("GET", "/fake/faults").body)
    assert [(row["id"], row["seen"], row["fired"], row["active"]) for row in report["faults"]] == [
        (1, 1, 1, True),
        (2, 1, 1, False),
    ]
    assert report["faults"][0]["fault"] | faults[0] == report["faults"][0]["fault"]
    assert report["log"][-1] == {
        "time": START,
        "id": 1,
        "kind": "drop",
        "link": "stream",
        "subject": "btcusdt@trade",
        "session": "stream-1",
    }
    assert client.http("DELETE", "/fake/faults", "id=1").status == 200
    left: Any = msgspec.json.decode(client.http("GET", "/fake/faults").body)
    assert [row["id"] for row in left["faults"]] == [2]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"kind":"explode"}', "Invalid value 'explode'"),
        ('[{"kind":"cut","at":1}]', "Object contains unknown field `at`"),
        ('{"kind":"delay"}', "Object missing required field `delay_ms`"),
        ("{", "truncated"),
    ],
)
def test_a_fault_that_does_not_exist_is_refused_with_its_name(client: PureClient, body: str, message: str) -> None:
    reply = client.http("POST", "/fake/faults", body=body)
    assert reply.status == 400
    assert message in msgspec.json.decode(reply.body)["msg"]
