"""The links for orders of futures: logged on with an Ed25519 key, and replaced without an order lost or sent twice."""

import zlib
from decimal import Decimal
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from actors.credentials import Keys, Secret
from actors.messages import OrderAccepted, OrderFilled, OutcomeUnknown, VenueDown, VenueUp
from actors.model.order import OrderType
from actors.settings import VenueSettings
from actors.simulation.binance_usdm.accounts import MarginAccount
from actors.simulation.binance_usdm.venue import FakeBinanceUsdm
from actors.simulation.keys import load_public_key
from actors.venues.binance_usdm import BinanceUsdm
from actors.venues.binance_usdm.order_links import LIFE_NS
from actors.venues.contract import BadFrame, SendFrame
from runtime.clock import NS_PER_S
from tests.venues.binance_spot import place
from tests.venues_usdm.world import START, World

PRIVATE = Ed25519PrivateKey.generate()
PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
KEY = "an-ed25519-key"


def with_private_key() -> World:
    account = MarginAccount(KEY, "", zlib.crc32(KEY.encode()), {"USDT": Decimal(1_000_000)}, load_public_key(PUBLIC))
    fake = FakeBinanceUsdm(START, seed=3, symbols=("BTCUSDT",), rate=10, accounts=[account])
    return World(fake, ["BTCUSDT"], keys=Keys(Secret(KEY), Secret(PEM)))


def with_secret() -> World:
    return World(FakeBinanceUsdm(START, seed=3, symbols=("BTCUSDT",), rate=10), ["BTCUSDT"])


def requests(world: World, method: str) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = [msgspec.json.decode(output.payload) for output in world.told(SendFrame)]
    return [request["params"] for request in sent if request.get("method") == method]


def market_order(number: int) -> Any:
    return place(client_order_id=f"{number:032x}", venue="usdm", type=OrderType.MARKET, price=None, quantity="0.002")


def test_a_link_logs_on_and_then_signs_nothing_more() -> None:
    world = with_private_key()
    world.run_until(VenueUp)
    assert len(requests(world, "session.logon")) == 1
    world.execute(market_order(1))
    world.run_until(OrderFilled)
    (order,) = requests(world, "order.place")
    assert "signature" not in order
    assert "apiKey" not in order
    assert world.told(BadFrame) == []


def test_a_secret_signs_each_request() -> None:
    world = with_secret()
    world.run_until(VenueUp)
    world.execute(market_order(1))
    world.run_until(OrderFilled)
    assert requests(world, "session.logon") == []
    assert "signature" in requests(world, "order.place")[0]


def test_after_a_reconnect_it_logs_on_again() -> None:
    world = with_private_key()
    world.run_until(VenueUp)
    world.drop("orders")
    assert world.told(VenueDown)
    world._open("orders", "ws://fake/ws-fapi/v1")
    world.run_until(VenueUp)
    assert len(requests(world, "session.logon")) == 2


def test_a_refused_logon_is_said_and_tried_again() -> None:
    settings = VenueSettings(kind="binance-usdm", symbols=["BTCUSDT"])
    venue = BinanceUsdm("usdm", settings, Keys(Secret(KEY), Secret(PEM)))
    venue.start(START)
    venue._clock.learn(START, START, START // 1_000_000)
    (logon,) = [
        request
        for output in venue.on_link_up("orders", START)
        if isinstance(output, SendFrame)
        and (request := msgspec.json.decode(output.payload))["method"] == "session.logon"
    ]
    refusal = {"id": logon["id"], "status": 401, "error": {"code": -2015, "msg": "Invalid API-key"}}
    venue.on_frame("orders", msgspec.json.encode(refusal), START)
    venue._instruments = {}
    assert venue.report(False)["problem"] == "LOGON_REFUSED: -2015 Invalid API-key"
    again = [output for output in venue.on_wake_up("log-on", START + 5 * NS_PER_S) if isinstance(output, SendFrame)]
    assert [msgspec.json.decode(output.payload)["method"] for output in again] == ["session.logon"]


def test_orders_go_on_while_the_server_is_shut_down() -> None:
    for world in (with_secret(), with_private_key()):
        world.run_until(VenueUp)
        for number in range(40):
            world.execute(market_order(number))
            if number == 15:
                world.fake.shut_down(world.now)
            world.run(NS_PER_S // 5)
        world.run(5 * NS_PER_S)
        assert [link for link in world.links() if link.startswith("orders")] == ["orders.1"]
        ids = {f"{number:032x}" for number in range(40)}
        assert {event.client_order_id for event in world.told(OrderAccepted)} == ids
        assert {fill.client_order_id for fill in world.told(OrderFilled)} == ids
        assert {len(placed) for placed in world.ledger()["orders"].values()} == {1}
        assert [world.told(kind) for kind in (OutcomeUnknown, VenueDown, BadFrame)] == [[], [], []]


def test_a_link_is_replaced_before_the_venue_ends_it_after_24_hours() -> None:
    world = with_secret()
    world.run_until(VenueUp)
    world.take(world.venue.on_wake_up("renew-orders:orders", world.now + LIFE_NS))
    world.run(NS_PER_S)
    assert {"orders", "orders.1"} <= set(world.links())
    world.run(10 * NS_PER_S)
    assert "orders" not in world.links()
    assert world.told(VenueDown) == []


def test_the_accounts_own_link_is_replaced_too_and_each_event_counts_once() -> None:
    world = with_secret()
    world.run_until(VenueUp)
    ids = [f"{number:032x}" for number in range(30)]
    for number in range(30):
        world.execute(market_order(number))
        if number == 10:
            world.take(world.venue.on_wake_up("renew-account:account", world.now + LIFE_NS))
        world.run(NS_PER_S // 5)
    assert [link for link in world.links() if link.startswith("account")] == ["account.1"]
    told = [fill.trade_id for fill in world.told(OrderFilled)]
    assert {fill.client_order_id for fill in world.told(OrderFilled)} == set(ids)
    assert len(told) == len(set(told))
    assert len(world.told(VenueUp)) == 1
    assert world.told(VenueDown) == []


def test_the_accounts_link_that_ends_while_the_next_one_is_up_is_not_missed() -> None:
    world = with_secret()
    world.run_until(VenueUp)
    world.take(world.venue.on_wake_up("renew-account:account", world.now + LIFE_NS))
    world.run(NS_PER_S // 2)
    assert {"account", "account.1"} <= set(world.links())
    world.drop("account")
    assert world.told(VenueDown) == []
    world.execute(market_order(1))
    world.run_until(OrderFilled)
    world.run(5 * NS_PER_S)
    assert [link for link in world.links() if link.startswith("account")] == ["account.1"]


def test_a_link_is_not_replaced_again_before_the_one_before_it_has_been_answered() -> None:
    world = with_secret()
    world.run_until(VenueUp)
    for _ in range(2):
        world.fake.shut_down(world.now)
        world.run(NS_PER_S // 2)
    assert {"orders", "orders.1", "orders.2"} <= set(world.links())
    world.execute(market_order(1))
    world.run(12 * NS_PER_S)
    assert [link for link in world.links() if link.startswith("orders")] == ["orders.2"]
    assert world.told(OrderFilled)
    assert [world.told(kind) for kind in (OutcomeUnknown, VenueDown, BadFrame)] == [[], [], []]
