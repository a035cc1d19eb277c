"""The protocol and the fake venue with nothing between them but time: what one puts out, the other gets."""

import heapq
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from actors.credentials import Keys, Secret
from actors.settings import ContractSettings, VenueSettings
from actors.simulation.binance_usdm.venue import FakeBinanceUsdm
from actors.simulation.faults import Delivery
from actors.simulation.http_reply import HttpReply
from actors.venues.binance_usdm import BinanceUsdm
from actors.venues.contract import CloseLink, Command, OpenLink, Output, SendFrame, WakeUp
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import NS_PER_MS

START = 1_700_000_000_000_000_000
WAY_NS = NS_PER_MS
"""From one to the other."""

T = TypeVar("T")


class World:
    def __init__(
        self,
        fake: FakeBinanceUsdm,
        symbols: Sequence[str],
        contracts: ContractSettings | None = None,
        *,
        http_delay_ns: int = 0,
        keys: Keys | None = None,
    ) -> None:
        settings = VenueSettings(
            kind="binance-usdm",
            symbols=list(symbols),
            rest_url="http://fake",
            stream_url="ws://fake",
            trade_url="ws://fake/ws-fapi/v1",
            contracts=contracts or ContractSettings(),
        )
        self.fake = fake
        self.venue = BinanceUsdm("usdm", settings, keys or Keys(Secret("demo-key"), Secret("demo-secret")))
        self.now = START
        self.outputs: list[Output] = []
        self.requests: list[HttpRequest] = []
        self._http_delay_ns = http_delay_ns
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._sessions: dict[str, str] = {}
        """Link → session."""
        self.take(self.venue.start(self.now))

    def run(self, duration_ns: int) -> None:
        end = self.now + duration_ns
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

    def run_until(self, kind: type[T], duration_ns: int = 20_000_000_000) -> T:
        """The first output of this kind from now on."""
        seen, end = len(self.outputs), self.now + duration_ns
        while self.now < end:
            self.run(10 * NS_PER_MS)
            for output in self.outputs[seen:]:
                if isinstance(output, kind):
                    return output
        raise AssertionError(f"no {kind.__name__} in {self.outputs[seen:]}")

    def execute(self, command: Command) -> None:
        self.take(self.venue.execute(command, self.now))

    def told(self, kind: type[T]) -> list[T]:
        return [output for output in self.outputs if isinstance(output, kind)]

    def links(self) -> list[str]:
        """Those that are open."""
        return list(self._sessions)

    def drop(self, link: str) -> None:
        """Cut a link."""
        self.fake.disconnect(self._sessions.pop(link), self.now)
        self.take(self.venue.on_link_down(link, "cut", self.now))

    def state(self) -> dict[str, Any]:
        body: dict[str, Any] = msgspec.json.decode(
            self.fake.http("GET", "fake", "/fake/state", "", {}, "", self.now).body
        )
        return body

    def ledger(self) -> dict[str, Any]:
        body: dict[str, Any] = msgspec.json.decode(
            self.fake.http("GET", "fake", "/fake/ledger", "", {}, "", self.now).body
        )
        return body

    # ---- carrying out

    def take(self, outputs: list[Output]) -> None:
        self.outputs += outputs
        for output in outputs:
            match output:
                case OpenLink():
                    self._after(WAY_NS, lambda output=output: self._open(output.link, output.url))  # type: ignore[misc]
                case SendFrame():
                    self._after(WAY_NS, lambda output=output: self._send(output))  # type: ignore[misc]
                case HttpRequest():
                    self.requests.append(output)
                    self._after(WAY_NS + self._http_delay_ns, lambda output=output: self._ask(output))  # type: ignore[misc]
                case WakeUp():
                    tag = output.tag
                    self._after(output.delay_ns, lambda tag=tag: self.take(self.venue.on_wake_up(tag, self.now)))  # type: ignore[misc]
                case CloseLink():
                    if output.link in self._sessions:
                        self.fake.disconnect(self._sessions.pop(output.link), self.now)
                case _:
                    pass

    def _open(self, link: str, url: str) -> None:
        if link in self._sessions:
            self.drop(link)
        parts = urlsplit(url)
        session = self.fake.connect(parts.netloc, f"{parts.path}?{parts.query}", self.now)
        assert not isinstance(session, HttpReply), session
        self._sessions[link] = session
        self.take(self.venue.on_link_up(link, self.now))

    def _send(self, frame: SendFrame) -> None:
        if frame.link not in self._sessions:
            return
        self.fake.receive(self._sessions[frame.link], frame.payload.decode(), self.now)
        self._deliver()

    def _ask(self, request: HttpRequest) -> None:
        answer = self.answer(request)
        self._after(WAY_NS, lambda: self.take(self.venue.on_http(answer, self.now)))
        self._deliver()

    def answer(self, request: HttpRequest) -> HttpAnswered | HttpFailed:
        """Of the venue, at once."""
        parts = urlsplit(request.url)
        reply = self.fake.http(
            request.method, parts.netloc, parts.path, parts.query, request.headers, request.body.decode(), self.now
        )
        headers = {name.lower(): value for name, value in reply.headers.items()}
        if reply.delivery is not Delivery.WHOLE:
            return HttpFailed(request.id, "connection closed before the answer", True)
        return HttpAnswered(request.id, reply.status, headers, reply.body, self.now)

    def _deliver(self) -> None:
        links = {session: link for link, session in self._sessions.items()}
        for session, payload in self.fake.take_outbox():
            link = links.get(session)
            if link is not None and isinstance(payload, bytes):
                self._after(
                    WAY_NS,
                    lambda link=link, payload=payload: self.take(self.venue.on_frame(link, payload, self.now)),  # type: ignore[misc]
                )

    def _after(self, delay_ns: int, action: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._due, (self.now + delay_ns, self._count, action))
