"""Orders of the protocol at the fake venue: what the desk is told, and what the venue's own ledger says."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.messages import (
    AccountReported,
    AmendAtVenue,
    AmendRejected,
    CancelAtVenue,
    CancelRejected,
    ChangeDenied,
    FillsReported,
    ForcedCause,
    InstrumentsListed,
    OpenOrdersReported,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OrderReported,
    PlaceOrder,
    PositionForceClosed,
    PositionsReported,
    QueryAccount,
    QueryFills,
    QueryOpenOrders,
    QueryOrder,
    VenueDown,
    VenueUp,
)
from actors.model.order import OrderSpec, OrderType, PositionSide, Side, Stamps, TimeInForce
from actors.model.order_state import OrderState
from actors.settings import ContractSettings
from actors.simulation.binance_usdm.venue import FakeBinanceUsdm
from actors.simulation.faults import StreamTerminated
from actors.venues.contract import BadFrame
from runtime.clock import NS_PER_S
from tests.venues_usdm.world import START, World


def a_world(contracts: ContractSettings | None = None, **fake: Any) -> World:
    world = World(FakeBinanceUsdm(START, rate=0, **fake), ("BTCUSDT", "ETHUSDT"), contracts)
    world.run_until(VenueUp)
    world.run(NS_PER_S)
    return world


def place(number: int = 1, **changes: Any) -> PlaceOrder:
    order = OrderSpec(
        client_order_id=f"{number:032x}",
        strategy="maker",
        venue="usdm",
        symbol="BTCUSDT",
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity="0.010",
        price="67000.0",
        time_in_force=TimeInForce.GTC,
    )
    return PlaceOrder(msgspec.structs.replace(order, **changes), Stamps(), 1, START + 3600 * NS_PER_S)


def cancel(accepted: OrderAccepted) -> CancelAtVenue:
    return CancelAtVenue(accepted.client_order_id, accepted.venue_order_id, "BTCUSDT", 1, START + 3600 * NS_PER_S)


MARKET: dict[str, Any] = {"type": OrderType.MARKET, "price": None}


def test_the_venue_comes_up_when_its_account_is_heard() -> None:
    world = a_world()
    instruments = world.told(InstrumentsListed)[-1].instruments
    assert [(each.symbol, each.margin) for each in instruments] == [("BTCUSDT", "USDT"), ("ETHUSDT", "USDT")]
    assert world.told(BadFrame) == []
    assert world.venue.report(False)["problem"] == ""


def test_a_market_order_is_filled_by_the_stream_with_its_fee() -> None:
    world = a_world()
    world.execute(place(**MARKET))
    world.run(NS_PER_S)
    fills = world.told(OrderFilled)
    assert sum(Decimal(fill.quantity) for fill in fills) == Decimal("0.010")
    assert {(fill.client_order_id, fill.fee_asset, fill.maker) for fill in fills} == {(f"{1:032x}", "USDT", False)}
    paid = sum(Decimal(fill.price) * Decimal(fill.quantity) for fill in fills) * Decimal("0.0004")
    assert abs(sum(Decimal(fill.fee) for fill in fills) - paid) < Decimal("1e-6")
    (position,) = world.told(PositionsReported)[-1].positions
    assert (position.symbol, position.side, position.quantity) == ("BTCUSDT", None, "0.010")
    assert [fill["tradeId"] for fill in world.ledger()["fills"]] == [int(fill.trade_id) for fill in fills]


def test_a_resting_order_is_accepted_reported_and_cancelled() -> None:
    world = a_world()
    world.execute(place())
    accepted = world.run_until(OrderAccepted)
    world.execute(QueryOpenOrders())
    (reported,) = world.run_until(OpenOrdersReported).orders
    assert (reported.client_order_id, reported.state) == (f"{1:032x}", OrderState.ACCEPTED)
    world.execute(QueryOrder(accepted.client_order_id, "BTCUSDT"))
    assert world.run_until(OrderReported).venue_order_id == accepted.venue_order_id
    world.execute(cancel(accepted))
    assert world.run_until(OrderCanceled).client_order_id == accepted.client_order_id
    world.execute(cancel(accepted))
    assert world.run_until(CancelRejected).code == "-2011"
    assert world.ledger()["orders"][accepted.client_order_id][0]["status"] == "CANCELED"


def test_a_resting_order_is_made_smaller() -> None:
    world = a_world()
    world.execute(place())
    accepted = world.run_until(OrderAccepted)
    amend = AmendAtVenue(accepted.client_order_id, accepted.venue_order_id, "BTCUSDT", "0.005", 1, 2 * START)
    world.take(world.venue.change(amend, world.now))
    assert world.run_until(OrderAmended).quantity == "0.005"
    assert world.ledger()["orders"][accepted.client_order_id][0]["quantity"] == "0.005"
    world.take(world.venue.change(amend, world.now))
    assert world.run_until(AmendRejected).code == "-5027"
    other = msgspec.structs.replace(amend, client_order_id=f"{9:032x}")
    world.take(world.venue.change(other, world.now))
    assert world.told(ChangeDenied)[-1].reason.startswith("UNKNOWN_ORDER: ")


def test_price_and_quantity_are_changed_in_one_step_by_whoever_placed_the_order() -> None:
    world = a_world()
    world.execute(place())
    accepted = world.run_until(OrderAccepted)
    price = format(Decimal(place().order.price or 0) - 100, "f")
    for quantity in ("0.02", "0.015"):
        wanted = msgspec.structs.replace(place().order, quantity=quantity, price=price)
        change = AmendAtVenue(
            accepted.client_order_id, accepted.venue_order_id, "BTCUSDT", quantity, 1, 2 * START, wanted
        )
        world.take(world.venue.change(change, world.now))
        amended = world.run_until(OrderAmended)
        assert (Decimal(amended.quantity), Decimal(amended.price)) == (Decimal(quantity), Decimal(price))
        row = world.ledger()["orders"][accepted.client_order_id][0]
        assert (Decimal(row["quantity"]), Decimal(row["price"])) == (Decimal(quantity), Decimal(price))
        world.execute(QueryOrder(accepted.client_order_id, "BTCUSDT"))
        report = world.run_until(OrderReported)
        assert (Decimal(report.quantity), Decimal(report.price)) == (Decimal(quantity), Decimal(price))


REFUSED = [
    ({"post_only": True, "price": "70000.0"}, "-5022"),
    ({"quantity": "0.0015"}, "-1111"),
    ({"price": "67000.05"}, "-4014"),
    ({"quantity": "9999", "price": "67000.0"}, "-2019"),
    ({"reduce_only": True}, "-2022"),
    ({"position_side": PositionSide.LONG}, "-4061"),
    ({"type": OrderType.STOP, "stop_price": "60000.0", "price": None}, "-2021"),
]


@pytest.mark.parametrize(("changes", "code"), REFUSED)
def test_what_the_venue_refuses_is_rejected_with_its_code(changes: dict[str, Any], code: str) -> None:
    world = a_world()
    world.execute(place(**changes))
    assert world.run_until(OrderRejected).code == code


DENIED = [
    ({"visible_quantity": "0.001"}, "INVALID_ORDER"),
    ({"price": None}, "INVALID_ORDER"),
    ({"post_only": True, "time_in_force": TimeInForce.IOC}, "INVALID_ORDER"),
    ({"good_till": START + 60 * NS_PER_S}, "INVALID_ORDER"),
    ({"type": OrderType.STOP, "price": None}, "INVALID_ORDER"),
    ({"symbol": "NOSUCHUSDT"}, "UNKNOWN_SYMBOL"),
]


@pytest.mark.parametrize(("changes", "code"), DENIED)
def test_what_cannot_be_said_to_the_venue_is_denied(changes: dict[str, Any], code: str) -> None:
    world = a_world()
    world.execute(place(**changes))
    assert world.told(OrderDenied)[-1].reason.startswith(code)


def test_an_immediate_order_expires_with_its_reason() -> None:
    world = a_world()
    world.execute(place(time_in_force=TimeInForce.IOC))
    expired = world.run_until(OrderExpired)
    assert (expired.reason, expired.filled_quantity) == ("IMMEDIATE_REMAINDER", "0")


@pytest.mark.slow
def test_an_order_that_is_good_till_a_time_ends_then() -> None:
    world = a_world()
    world.execute(place(good_till=world.now + 700 * NS_PER_S))
    world.run_until(OrderAccepted)
    world.run(690 * NS_PER_S)
    assert world.told(OrderExpired) == []
    world.run(20 * NS_PER_S)
    assert len(world.told(OrderExpired)) == 1


def test_a_stop_waits_as_an_algo_order_and_becomes_an_order_with_the_same_id() -> None:
    world = a_world()
    world.execute(place(side=Side.SELL, type=OrderType.STOP, price=None, stop_price="67000.0"))
    accepted = world.run_until(OrderAccepted)
    assert accepted.venue_order_id == "algo-1000001"
    world.execute(QueryOpenOrders())
    (reported,) = world.run_until(OpenOrdersReported).orders
    assert (reported.client_order_id, reported.venue_order_id) == (f"{1:032x}", "algo-1000001")
    world.execute(QueryOrder(f"{1:032x}", "BTCUSDT"))
    assert world.run_until(OrderReported).state is OrderState.ACCEPTED
    world.fake.markets["BTCUSDT"].last_price = Decimal("66999.0")
    fill = world.run_until(OrderFilled)
    assert fill.client_order_id == f"{1:032x}"
    world.execute(QueryOrder(f"{1:032x}", "BTCUSDT", "algo-1000001"))
    report = world.run_until(OrderReported)
    assert (report.state, report.venue_order_id) == (OrderState.FILLED, fill.venue_order_id)


def test_a_stop_can_be_cancelled() -> None:
    world = a_world()
    world.execute(place(side=Side.SELL, type=OrderType.STOP, price=None, stop_price="66000.0"))
    world.execute(cancel(world.run_until(OrderAccepted)))
    assert world.run_until(OrderCanceled).client_order_id == f"{1:032x}"


def test_a_trailing_stop_follows_the_price() -> None:
    world = a_world()
    market = world.fake.markets["BTCUSDT"]
    world.execute(place(side=Side.SELL, type=OrderType.STOP, price=None, trailing_bps=100))
    world.run_until(OrderAccepted)
    for price in ("68000", "70000", "69400"):
        market.last_price = Decimal(price)
        world.run(NS_PER_S)
    assert world.told(OrderFilled) == []
    market.last_price = Decimal("69300")
    assert world.run_until(OrderFilled).side is Side.SELL


def test_queries_find_fills_balances_and_what_is_not_there() -> None:
    world = a_world()
    world.execute(place(**MARKET))
    filled = world.run_until(OrderFilled)
    world.execute(QueryFills("BTCUSDT", filled.venue_order_id, 0))
    world.execute(QueryFills("BTCUSDT", "", START))
    world.execute(QueryAccount())
    world.execute(QueryOrder(f"{9:032x}", "BTCUSDT"))
    world.run(NS_PER_S)
    first, second = world.told(FillsReported)
    assert [fill.trade_id for fill in first.fills] == [fill.trade_id for fill in second.fills]
    assert first.fills[0].fee == filled.fee
    (balance,) = world.told(AccountReported)[-1].balances
    assert Decimal(balance.free) < Decimal(10_000_000)
    assert Decimal(balance.locked) > 30
    assert world.told(OrderNotFound)[0].client_order_id == f"{9:032x}"


def test_settings_are_in_force_before_the_venue_is_up() -> None:
    world = a_world(ContractSettings(leverage=3, margin_mode="isolated", hedge_mode=True))
    account = world.fake.accounts["demo-key"]
    assert account.leverage == {"BTCUSDT": 3, "ETHUSDT": 3}
    assert account.isolated == {"BTCUSDT", "ETHUSDT"}
    assert account.is_hedged
    assert world.venue.report(False)["settings"]["leverage BTCUSDT"] == "3"
    world.execute(place(position_side=PositionSide.LONG, **MARKET))
    world.run(NS_PER_S)
    assert world.told(PositionsReported)[-1].positions[0].side is PositionSide.LONG


def test_settings_that_are_so_already_do_not_keep_the_venue_down() -> None:
    world = a_world(ContractSettings(margin_mode="cross", hedge_mode=False))
    assert world.venue.report(False)["problem"] == ""


def test_the_venue_cancels_everything_when_it_hears_nothing_any_more() -> None:
    world = a_world(ContractSettings(cancel_all_after_s=20))
    world.execute(place())
    world.run_until(OrderAccepted)
    world.run(120 * NS_PER_S)
    assert world.told(OrderCanceled) == []
    for _ in range(30):
        world.fake.advance(world.now)
        world.now += NS_PER_S
    assert world.ledger()["orders"][f"{1:032x}"][0]["status"] == "CANCELED"


def test_let_go_of_the_switch_fires_and_held_again_it_is_renewed() -> None:
    world = a_world(ContractSettings(cancel_all_after_s=20))
    world.execute(place())
    world.run_until(OrderAccepted)
    world.take(world.venue.hold_switch(False, world.now))
    world.run(21 * NS_PER_S)
    assert [told.client_order_id for told in world.told(OrderCanceled)] == [f"{1:032x}"]
    renewed = len(countdowns(world))
    world.take(world.venue.hold_switch(True, world.now))
    world.run(NS_PER_S)
    assert len(countdowns(world)) == renewed + 1
    world.run(60 * NS_PER_S)
    assert len(countdowns(world)) in (renewed + 12, renewed + 13), "four times within twenty seconds, by one timer"


def countdowns(world: World) -> list[str]:
    return [request.url for request in world.requests if "countdownCancelAll?symbol=BTCUSDT" in request.url]


def test_a_listen_key_that_ends_is_replaced_before_orders_go_on() -> None:
    world = a_world()
    world.fake.faults.add(StreamTerminated(), now=world.now)
    world.run(NS_PER_S)
    assert [type(told) for told in world.outputs if isinstance(told, VenueUp | VenueDown)] == [
        VenueUp,
        VenueDown,
        VenueUp,
    ]
    world.execute(place(**MARKET))
    world.run_until(OrderFilled)


@pytest.mark.slow
def test_a_listen_key_is_kept_alive() -> None:
    world = a_world()
    world.run(65 * 60 * NS_PER_S)
    assert world.told(VenueDown) == []
    assert len([request for request in world.requests if request.method == "PUT"]) == 2


def test_without_its_own_link_no_order_goes() -> None:
    world = a_world()
    world.drop("account")
    world.execute(place())
    assert world.told(OrderDenied)[-1].reason.startswith("NOT_CONNECTED: LINK_DOWN")


def test_funding_is_paid_and_reported() -> None:
    world = a_world(funding_ms=60_000)
    world.execute(place(**MARKET))
    world.run_until(OrderFilled)
    world.run(61 * NS_PER_S)
    assert world.told(PositionsReported)[-1].reason == "FUNDING_FEE"


def test_a_liquidation_is_recognised_by_its_client_order_id() -> None:
    world = a_world(ContractSettings(leverage=20))
    account = world.fake.accounts["demo-key"]
    account.wallets["USDT"] = Decimal(100)
    world.execute(place(**MARKET))
    world.run_until(OrderFilled)
    world.fake.markets["BTCUSDT"].forced_mark = Decimal(55_000)
    closed = world.run_until(PositionForceClosed)
    assert (closed.cause, closed.side) == (ForcedCause.LIQUIDATION, Side.SELL)
    assert closed.client_order_id.startswith("autoclose-")
    world.run(2 * NS_PER_S)
    assert world.fake.accounts["demo-key"].open_positions() == []


def test_own_orders_do_not_trade_with_each_other() -> None:
    world = a_world()
    world.execute(place(1, price="67249.0"))
    world.run_until(OrderAccepted)
    world.execute(place(2, side=Side.SELL, price="67000.0", time_in_force=TimeInForce.IOC, quantity="0.001"))
    assert world.run_until(OrderExpired).reason == "SELF_TRADE_PREVENTION"


def test_weight_stays_below_the_limit_when_fills_are_asked_for_again_and_again() -> None:
    world = a_world()
    for _ in range(1000):
        world.execute(QueryFills("BTCUSDT", "", START))
    world.run(NS_PER_S)
    assert world.venue.report(False)["used_weight"] <= 2400
    assert len(world.told(FillsReported)) > 100


def test_a_rehearsal_reaches_nobody() -> None:
    world = a_world()
    before = world.ledger()
    world.venue.rehearse(place(), world.now)
    world.run(NS_PER_S)
    assert world.ledger() == before
    assert world.told(OrderAccepted) + world.told(OrderRejected) + world.told(OrderDenied) == []
    world.execute(place())
    assert world.run_until(OrderAccepted).client_order_id == f"{1:032x}"
