"""A journal as an order manager writes it: a few hundred orders of every fate, from a seed."""

from pathlib import Path
from random import Random

from actors.messages import (
    CancelOrder,
    OrderAccepted,
    OrderCanceled,
    OrderDenied,
    OrderFilled,
    OrderRejected,
    OrderRouted,
    OrderSent,
    OutcomeUnknown,
    SubmitOrder,
)
from actors.model.order import OrderSpec, OrderType, Side, Stamps
from actors.orders import records
from actors.orders.records import EpochBegan, Event, Record
from runtime.journal import Journal

START = 1_700_000_000_000_000_000


def life_of_an_order(number: int, random: Random) -> list[Event]:
    order_id = f"{number:032x}"
    symbol = random.choice(["BTCUSDT", "ETHUSDT"])
    side = random.choice([Side.BUY, Side.SELL])
    strategy = random.choice(["maker", "momentum"])
    spec = OrderSpec(order_id, strategy, "", symbol, side, OrderType.LIMIT, "0.30", "100.10")
    submit = SubmitOrder(spec, Stamps())
    fate = random.randrange(5)
    if fate == 0:
        return [submit, OrderDenied(order_id, "MAX_OPEN_ORDERS: 20 open, limit 20", "risk_checker")]
    routed = OrderRouted(order_id, "binance", "connector.binance", ["binance: 1.0 fee", "other: down"], START + number)
    sent = OrderSent(order_id, "binance", Stamps())
    if fate == 1:
        return [submit, routed, sent, OrderRejected("binance", order_id, "-2010", "insufficient balance", START)]
    if fate == 2:
        return [submit, routed, sent, OutcomeUnknown("binance", order_id, "timeout", START)]
    accepted = OrderAccepted("binance", order_id, f"v{number}", START, START)
    fills: list[Event] = [
        OrderFilled(
            "binance",
            order_id,
            f"v{number}",
            symbol,
            f"t{number}.{part}",
            side,
            "100.10",
            "0.10",
            "0.01",
            "BNB",
            True,
            START,
            START,
        )
        for part in range(3)
    ]
    if fate == 3:
        cancel = CancelOrder(order_id, strategy)
        return [
            submit,
            routed,
            sent,
            accepted,
            fills[0],
            cancel,
            OrderCanceled("binance", order_id, "0.10", START, START),
        ]
    return [submit, routed, sent, accepted, *fills]


def some_records(orders: int, seed: int = 1) -> list[bytes]:
    random = Random(seed)
    events: list[tuple[int, Event]] = [(1, EpochBegan())]
    for number in range(orders):
        epoch = 1 + number // 50
        if epoch > events[-1][0]:
            events.append((epoch, EpochBegan()))
        events += [(epoch, event) for event in life_of_an_order(number, random)]
    return [records.encode(Record(START + at, epoch, event)) for at, (epoch, event) in enumerate(events)]


def write(folder: Path, data: list[bytes], segment_bytes: int = 20_000) -> None:
    journal = Journal.open(folder, segment_bytes=segment_bytes)
    for record in data:
        journal.append(record)
    journal.close()
