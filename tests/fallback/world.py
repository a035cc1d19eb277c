"""A protocol and its fake venue in memory, with what a connector does about links: reopening, noting what was heard."""

import heapq
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from actors.credentials import Keys, Secret
from actors.messages import PlaceOrder
from actors.model.order import OrderSpec, OrderType, Side, Stamps, TimeInForce
from actors.settings import VenueSettings
from actors.simulation.binance.venue import FakeBinance
from actors.simulation.binance_usdm.venue import FakeBinanceUsdm
from actors.simulation.faults import Cut, Delivery, Fault, Freeze, LinkRole, RefuseConnect
from actors.simulation.http_reply import HttpReply
from actors.venues.binance import BinanceSpot
from actors.venues.binance_usdm import BinanceUsdm
from actors.venues.contract import BadFrame, CloseLink, OpenLink, Output, SendFrame, WakeUp
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import NS_PER_MS, NS_PER_S

START = 1_700_000_000_000_000_000
WAY_NS = NS_PER_MS
REOPEN_NS = 200 * NS_PER_MS
KINDS = ("binance", "binance-usdm")
SOCKETS = (LinkRole.STREAM, LinkRole.WS_API, LinkRole.USER)

T = TypeVar("T")


class World:
    def __init__(self, kind: str, rate: float = 40.0, fallback_after_s: float | None = 1.0) -> None:
        path = {"binance": "/ws-api/v3", "binance-usdm": "/ws-fapi/v1"}[kind]
        settings = VenueSettings.model_validate(
            {
                "kind": kind,
                "symbols": ["BTCUSDT"],
                "rest_url": "http://fake",
                "stream_url": "ws://fake",
                "trade_url": f"ws://fake{path}",
                "fallback_after_s": fallback_after_s,
                "fallback_poll_s": 0.25,
                "contracts": {"leverage": 3, "margin_mode": "isolated"} if kind == "binance-usdm" else {},
            }
        )
        keys = Keys(Secret("demo-key"), Secret("demo-secret"))
        self.now = START
        self.fake: FakeBinance | FakeBinanceUsdm
        self.venue: BinanceSpot | BinanceUsdm
        if kind == "binance":
            self.fake = FakeBinance(START, 3, ("BTCUSDT",), rate)
            self.venue = BinanceSpot("venue", settings, keys)
        else:
            self.fake = FakeBinanceUsdm(START, 3, ("BTCUSDT",), rate)
            self.venue = BinanceUsdm("venue", settings, keys)
        self.outputs: list[Output] = []
        self.requests: list[HttpRequest] = []
        self.frames: list[bytes] = []
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._urls: dict[str, str] = {}
        self._sessions: dict[str, str] = {}
        """Link → session."""
        self._heard: dict[str, int] = {}
        self.take(self.venue.start(self.now))
        if self.venue.watch_ns:
            self._after(self.venue.watch_ns, self._watch)

    # ---- what a test does and sees -------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        end = self.now + int(seconds * NS_PER_S)
        while True:
            due = min(self._due[0][0] if self._due else end + 1, self.fake.next_due() or end + 1)
            if due > end:
                break
            self.now = max(due, self.now)
            while self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
            self.fake.advance(self.now)
            self._deliver()
        self.now = end

    def run_until(self, holds: Callable[[], object], seconds: float = 30) -> None:
        end = self.now + int(seconds * NS_PER_S)
        while not holds():
            assert self.now < end, self.outputs[-20:]
            self.run(0.02)

    def told(self, kind: type[T]) -> list[T]:
        return [output for output in self.outputs if isinstance(output, kind)]

    def add(self, *faults: Fault) -> None:
        self.fake.faults.add(*faults, now=self.now)
        self._deliver()

    def cut_websockets(self, *links: LinkRole) -> None:
        """And refuse them from now on."""
        for link in links or SOCKETS:
            self.add(RefuseConnect(link=link, count=None), Cut(link=link, at_once=True))

    def freeze_websockets(self) -> None:
        for link in SOCKETS:
            self.add(Freeze(link=link, at_once=True), RefuseConnect(link=link, count=None))

    def mend(self) -> None:
        self.fake.faults.remove(None, self.now)

    @property
    def degraded(self) -> dict[str, str]:
        degraded: dict[str, str] = self.venue.report(False)["degraded"]
        return degraded

    def ledger(self) -> dict[str, Any]:
        ledger: dict[str, Any] = msgspec.json.decode(
            self.fake.http("GET", "fake", "/fake/ledger", "", {}, "", self.now).body
        )
        return ledger

    def place(self, number: int, price: str | None, quantity: str = "0.002") -> str:
        id = f"{number:032x}"
        order = OrderSpec(
            client_order_id=id,
            strategy="maker",
            venue="venue",
            symbol="BTCUSDT",
            side=Side.BUY,
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity=quantity,
            price=price,
            time_in_force=TimeInForce.GTC,
        )
        self.take(self.venue.execute(PlaceOrder(order, Stamps(), 1, self.now + NS_PER_S), self.now))
        return id

    # ---- carrying out --------------------------------------------------------------------------------------------

    def take(self, outputs: list[Output]) -> None:
        self.outputs += outputs
        for output in outputs:
            match output:
                case OpenLink():
                    self._urls[output.link] = output.url
                    if output.link in self._sessions:
                        self._lose(output.link, "reopened")
                    else:
                        self._after(WAY_NS, lambda link=output.link: self._open(link))  # type: ignore[misc]
                case CloseLink():
                    self._urls.pop(output.link, None)
                    self.fake.disconnect(self._sessions.pop(output.link), self.now)
                case SendFrame():
                    self.frames.append(output.payload)
                    self._after(WAY_NS, lambda output=output: self._send(output))  # type: ignore[misc]
                case HttpRequest():
                    self.requests.append(output)
                    self._after(WAY_NS, lambda output=output: self._ask(output))  # type: ignore[misc]
                case WakeUp():
                    tag = output.tag
                    self._after(output.delay_ns, lambda tag=tag: self.take(self.venue.on_wake_up(tag, self.now)))  # type: ignore[misc]
                case BadFrame():
                    raise AssertionError(output)
                case _:
                    pass

    def _watch(self) -> None:
        self.take(self.venue.watch(self._heard, self.now))
        self._after(self.venue.watch_ns, self._watch)

    def _open(self, link: str) -> None:
        if link in self._sessions or link not in self._urls:
            return
        parts = urlsplit(self._urls[link])
        session = self.fake.connect(parts.netloc, f"{parts.path}?{parts.query}", self.now)
        if isinstance(session, HttpReply):
            self._after(REOPEN_NS, lambda: self._open(link))
            self.take(self.venue.on_link_down(link, f"refused: {session.status}", self.now))
            return
        self._sessions[link] = session
        self._heard[link] = self.now
        self.take(self.venue.on_link_up(link, self.now))
        self._deliver()

    def _lose(self, link: str, reason: str) -> None:
        self.fake.disconnect(self._sessions.pop(link), self.now)
        del self._heard[link]
        self._after(REOPEN_NS, lambda: self._open(link))
        self.take(self.venue.on_link_down(link, reason, self.now))

    def _send(self, frame: SendFrame) -> None:
        if frame.link in self._sessions:
            self.fake.receive(self._sessions[frame.link], frame.payload.decode(), self.now)
            self._deliver()

    def _ask(self, request: HttpRequest) -> None:
        parts = urlsplit(request.url)
        reply = self.fake.http(
            request.method, parts.netloc, parts.path, parts.query, request.headers, request.body.decode(), self.now
        )
        headers = {name.lower(): value for name, value in reply.headers.items()}
        answer: HttpAnswered | HttpFailed = HttpAnswered(request.id, reply.status, headers, reply.body, self.now)
        if reply.delivery is not Delivery.WHOLE:
            answer = HttpFailed(request.id, "connection closed before the answer", True)
        self._after(WAY_NS, lambda: self.take(self.venue.on_http(answer, self.now)))
        self._deliver()

    def _deliver(self) -> None:
        for session, payload in self.fake.take_outbox():
            link = next((name for name, each in self._sessions.items() if each == session), None)
            if link is None:
                continue
            if isinstance(payload, bytes):
                self._after(WAY_NS, lambda each=(link, session, payload): self._hear(*each))  # type: ignore[misc]
            else:
                self._lose(link, "cut")

    def _hear(self, link: str, session: str, payload: bytes) -> None:
        if self._sessions.get(link) == session:
            self._heard[link] = self.now
            self.take(self.venue.on_frame(link, payload, self.now))

    def _after(self, delay_ns: int, action: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._due, (self.now + delay_ns, self._count, action))
