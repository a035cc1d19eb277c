"""What the tests of faults share."""

from actors.simulation.faults import Fault
from tests.simulation.pure import PureClient

TAKE = {"side": "BUY", "type": "MARKET", "quantity": "0.01"}


def add(client: PureClient, *faults: Fault) -> None:
    client.venue.faults.add(*faults, now=client.now)


def trades(client: PureClient, session: str, count: int) -> list[int]:
    """The quantities, in hundredths, of trades of 1, 2, … hundredths as the session saw them."""
    for number in range(1, count + 1):
        client.order(**TAKE | {"quantity": f"0.{number:02}"})
    return [round(float(frame["q"]) * 100) for frame in client.frames(session)]
