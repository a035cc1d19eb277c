"""Faults of links and requests as a desk without sockets meets them."""

import asyncio

import pytest

from actors.simulation.binance.venue import FakeBinance
from actors.simulation.faults import Cut, Delay, Drop, Fault, Freeze, LinkRole, LostAck, RefuseConnect
from actors.simulation.memory import MemoryIo, MemoryVenue
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import NS_PER_S
from runtime.virtual import VirtualClock, VirtualLoop, run_virtually

HOST = "binance.memory"
STREAM, REST = LinkRole.STREAM, LinkRole.REST


class Events:
    """Writes down what a link tells."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def link_up(self) -> None:
        self.told.append("up")

    def frames(self, payloads: list[bytes], ts_recv: int) -> None:
        self.told += ["frame"] * len(payloads)

    def turn_over(self) -> None:
        pass

    def link_down(self, reason: str) -> None:
        self.told.append(reason)


@pytest.mark.parametrize(
    ("fault", "first", "last"),
    [
        (Cut(link=STREAM, after=2), ["up", "frame", "frame"], "connection lost"),
        (Cut(link=STREAM, close_code=1012), ["up"], "closed by the peer: 1012"),
        (RefuseConnect(link=STREAM), [], "connection lost"),
        (RefuseConnect(link=STREAM, status=503), [], "upgrade refused: HTTP 503"),
        (Freeze(link=STREAM, after=1), ["up"], "frame"),
    ],
)
def test_a_link_without_sockets_ends_as_one_with_them(fault: Fault, first: list[str], last: str) -> None:
    async def main(loop: VirtualLoop) -> list[str]:
        clock = VirtualClock(loop, 1_700_000_000 * NS_PER_S)
        venue = FakeBinance(clock.now(), rate=100, symbols=("BTCUSDT",))
        venue.faults.add(fault, now=clock.now())
        io, events = MemoryIo({HOST: MemoryVenue(venue, clock)}), Events()
        io.open_link(f"wss://{HOST}/ws/btcusdt@trade", events)
        await asyncio.sleep(2)
        await io.close()
        return events.told

    assert run_virtually(main) == [*first, last]


@pytest.mark.parametrize(
    ("fault", "outcome", "after_s"),
    [
        (LostAck(link=REST), "connection lost", 0.0),
        (Drop(link=REST), "timeout", 2.0),
        (Freeze(link=REST), "timeout", 2.0),
        (Delay(link=REST, delay_ms=700), "200", 0.7),
    ],
)
def test_a_request_without_sockets_fails_as_one_with_them(fault: Fault, outcome: str, after_s: float) -> None:
    async def main(loop: VirtualLoop) -> tuple[str, float]:
        clock = VirtualClock(loop, 1_700_000_000 * NS_PER_S)
        venue = FakeBinance(clock.now(), rate=0, symbols=("BTCUSDT",))
        venue.faults.add(fault, now=clock.now())
        io, began = MemoryIo({HOST: MemoryVenue(venue, clock)}), clock.now()
        answered: asyncio.Future[HttpAnswered | HttpFailed] = loop.create_future()
        url = f"https://{HOST}/api/v3/time"
        io.request(HttpRequest("1", "GET", url, timeout_ns=2 * NS_PER_S), answered.set_result)
        answer = await answered
        took_s = (clock.now() - began) / NS_PER_S
        await io.close()
        return (answer.reason if isinstance(answer, HttpFailed) else str(answer.status)), round(took_s, 3)

    assert run_virtually(main) == (outcome, after_s)
