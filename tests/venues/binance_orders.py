"""What the tests of Binance's order entry share."""

from typing import Any

from actors.messages import CancelAtVenue, OrderAccepted
from actors.venues.contract import Command
from tests.venues.binance_spot import ID, NOW, S, a_venue, frame, up

CANCEL = CancelAtVenue(ID, "", "BTCUSDT", 1, NOW + S)
MS = 1_000_000
PLACED: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "orderId": 42,
    "orderListId": -1,
    "clientOrderId": ID,
    "transactTime": 1660801715793,
}
ACCEPTED = OrderAccepted("binance", ID, "42", 1660801715793 * MS, NOW)


def a_venue_up() -> Any:
    venue = a_venue()
    up(venue)
    return venue


def ask(venue: Any, command: Command, method: str, now: int = NOW) -> dict[str, Any]:
    return frame(venue.execute(command, now), method)
